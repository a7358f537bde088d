import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { program } from '../../../src/cli/program.ts'
import { ROOT } from '../documents/markdown.ts'

interface Step { readonly word: string, readonly rest: string }

/** A Dockerfile's steps; a backslash at the end of a line continues it. */
function stepsOf (text: string): Step[] {
  const lines = text.split('\n').filter((line) => !/^\s*(#|$)/.test(line)).join('\n').replaceAll(/\\\n\s*/g, '').split('\n')
  return lines.map((line) => ({ word: line.split(' ')[0]!, rest: line.slice(line.indexOf(' ') + 1) }))
}

/** What the real command line says to these words, up to the handler. */
async function complaintOf (words: string[]): Promise<string | undefined> {
  const parser = program(words).middleware(() => { throw new Error('far enough') }, false)
  const said = await (async () => await parser.parseAsync())().then(() => 'its end', (error: Error) => error.message)
  return said === 'far enough' ? undefined : said
}

const allOf = (steps: readonly Step[], word: string): string[] => steps.filter((step) => step.word === word).map(({ rest }) => rest)
const lastOf = (steps: readonly Step[], word: string): string => allOf(steps, word).at(-1) ?? ''

/** A base without a fixed version, another base, and one stage alone, which would keep its compilers. */
function baseFaults (steps: readonly Step[]): string[] {
  const base = /BASE=(\S+)/.exec(lastOf(steps, 'ARG'))?.[1] ?? ''
  const stages = allOf(steps, 'FROM')
  return [
    ...(/:\d[\w.-]*$|@sha256:[0-9a-f]{64}$/.test(base) ? [] : [`the base ${base} has no fixed version`]),
    ...stages.filter((rest) => !/^\$\{BASE\}( |$)/.test(rest)).map((rest) => `FROM ${rest} is another base`),
    ...(stages.length > 1 ? [] : ['it has one stage'])
  ]
}

function sourceFaults (steps: readonly Step[], ignore: string): string[] {
  const sources = allOf(steps, 'COPY').filter((rest) => !rest.startsWith('--from')).flatMap((rest) => rest.split(' ').slice(0, -1))
  const sent = ignore.split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  return [
    ...sources.filter((source) => !existsSync(join(ROOT, source))).map((source) => `${source} does not exist`),
    ...sources.filter((source) => !sent.includes(source)).map((source) => `.dockerignore does not let ${source} through`)
  ]
}

/** What the container runs, and as whom. */
async function runFaults (steps: readonly Step[], text: string): Promise<string[]> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const probe = /CMD (\[.*)$/.exec(lastOf(steps, 'HEALTHCHECK'))?.[1] ?? ''
  const forms = [lastOf(steps, 'ENTRYPOINT'), lastOf(steps, 'CMD'), probe]
  const inShell = forms.filter((form) => !form.startsWith('['))
  const [, args = [], asked = []] = inShell.length > 0 ? [] : forms.map((form) => JSON.parse(form) as string[])
  const complaints = inShell.length > 0 ? [] : await Promise.all([args, asked.slice(1)].map(complaintOf))
  return [
    ...(/^[1-9]\d*:[1-9]\d*$/.test(lastOf(steps, 'USER')) ? [] : ['it runs as root, or by a name that Kubernetes cannot check']),
    ...(lastOf(steps, 'LABEL').includes(`version="${version}"`) ? [] : ['its label names another version']),
    ...(lastOf(steps, 'STOPSIGNAL') === 'SIGTERM' ? [] : ['the daemon is not asked to stop']),
    ...(lastOf(steps, 'VOLUME') === '/var/lib/consilium' && text.includes('HOME=/var/lib/consilium') ? [] : ['the home is no volume']),
    ...inShell.map((form) => `a shell stands before ${form}`),
    ...complaints.filter((complaint) => complaint != null)
  ]
}

/** What is wrong with a Dockerfile that a builder would take, or find out late. */
async function faultsOf (text: string, ignore: string): Promise<string[]> {
  const steps = stepsOf(text)
  return [...baseFaults(steps), ...sourceFaults(steps, ignore), ...await runFaults(steps, text)]
}

describe('the Dockerfile', () => {
  const text = readFileSync(join(ROOT, 'deploy/oci/Dockerfile'), 'utf8')
  const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8')

  it('has a fixed base, sources that exist, a user who is not root, and commands that there are', async () => {
    expect(await faultsOf(text, ignore)).to.deep.equal([])
  })

  it('runs scripts of package.json alone', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const run = [...text.matchAll(/npm run (\S+)/g)].map(([, name]) => name!)
    expect(run).to.deep.equal(['airgapped'])
    expect(run.filter((name) => scripts[name] == null)).to.deep.equal([])
  })

  for (const [change, to, fault] of [
    ['debian:13.2-slim', 'debian:latest', 'no fixed version'],
    ['USER 10001:10001', 'USER root', 'runs as root'],
    ['COPY samples samples', 'COPY sample sample', 'sample does not exist'],
    ['"status", "--health"', '"status", "--healthy"', '--healthy'],
    ['CMD ["start", "--data"', 'CMD ["start", "--dota"', '--dota'],
    ['ENTRYPOINT ["consilium"]', 'ENTRYPOINT consilium', 'a shell stands before']
  ] as const) {
    it(`would be told of: ${to}`, async () => {
      const changed = text.replaceAll(change, to)
      expect(changed).not.to.equal(text)
      expect((await faultsOf(changed, ignore)).join()).to.include(fault)
    })
  }
})
