import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { parseOptions as parseTestnet } from '../../../scripts/testnet/options.ts'
import { program } from '../../../src/cli/program.ts'
import { documents, filesBelow, linesOf, ROOT, type CommandLine } from './markdown.ts'

const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

// Stand for a number, or one of a few words.
const CHOICES: Record<string, string> = { CODEC: 'f32', N: '2' }

// What looks like one, and is the words over which a head is signed, or by which a split is keyed.
const NO_COMMANDS = new Set(['consilium audit head', 'consilium split SEED'])

class Parsed extends Error {}

/** Words of a line; what may be left out is given, of what may be chosen the first, and dots for more are none. */
function wordsOf (line: string): string[] {
  const words = line.replaceAll(/ …(?= |$)/g, '').match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  return words.map((word) => /^["']/.test(word) ? word.slice(1, -1) : word.replaceAll(/[[\]]/g, '').split('|')[0]!)
    .map((word) => CHOICES[word] ?? word)
}

/** `a x | y [z]` is two lines. */
function alternatives (line: string): string[] {
  const [, before, first, second, after = ''] = /^(.* )(\S+) \| (\S+)(.*)$/.exec(line) ?? []
  return before == null ? [line] : [before + first + after, before + second + after]
}

/** What the real commands say to a line, up to the handler. */
async function complaintOf (args: string[]): Promise<string | undefined> {
  const parser = program(args).middleware(() => { throw new Parsed() }, false)
  try {
    await parser.parseAsync()
    return 'no command was reached'
  } catch (error) {
    return error instanceof Parsed ? undefined : (error as Error).message
  }
}

/** In a sentence, or before dots for more, a command may be named without all that it needs. */
async function consiliumFault (args: string[], fenced: boolean): Promise<string | undefined> {
  const complaint = await complaintOf(args.filter((word) => word !== '--help'))
  const named = !fenced || args.includes('--help')
  return named && /is missing: write|^Missing required|^say (what to do|which command to run)/.test(complaint ?? '') ? undefined : complaint
}

/** A script must exist, and every flag that it is given stand in its source. */
async function scriptFault (name: string, args: string[]): Promise<string | undefined> {
  const script = scripts[name]
  if (script == null) return `package.json has no script ${name}`
  if (name === 'testnet' && !args.includes('--help')) {
    return await parseTestnet(args).then(() => undefined, (error: Error) => error.message)
  }
  const folder = /((?:bench|scripts|test)\/[\w-]+)\/index/.exec(script)?.[1]
  const source = folder == null ? '' : filesBelow(folder, /\.ts$/).map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
  const unknown = args.filter((word) => word.startsWith('--') && word !== '--help')
    .find((word) => !new RegExp(`(^|\\s|')${word.slice(2)}'?:`, 'm').test(source))
  return unknown == null ? undefined : `${name} has no ${unknown}`
}

async function npmFault (words: string[]): Promise<string | undefined> {
  const [verb = '', name = '', ...rest] = words.filter((word) => word !== '-s')
  if (verb !== 'run') return ['test', 'ci', 'install', 'pack'].includes(verb) ? undefined : `npm ${verb} is not known here`
  return await scriptFault(name, rest[0] === '--' ? rest.slice(1) : [])
}

function fileFault (words: string[]): string | undefined {
  const missing = words.find((word) => /^(test|bench|deploy|scripts|examples)\//.test(word) && !existsSync(join(ROOT, word)))
  return missing == null ? undefined : `${missing} does not exist`
}

/** What the image runs is the program; a flag of docker that takes a value stands with it before the image. */
async function dockerFault (words: string[]): Promise<string | undefined> {
  const image = words.findIndex((word) => /^consilium:\d/.test(word))
  if (image < 0) return 'it names no image consilium'
  const inside = words.slice(image + 1).filter((word, i, all) => word !== '<' && all[i - 1] !== '<')
  return words[0] !== 'run' || inside.length === 0 ? fileFault(words) : await consiliumFault(inside, true)
}

/** Values that are set must stand in the chart. */
function helmFault (words: string[]): string | undefined {
  const values = parse(readFileSync(join(ROOT, 'deploy/helm/consilium/values.yaml'), 'utf8')) as Record<string, unknown>
  const set = words.filter((_, i) => words[i - 1] === '--set').map((word) => word.split('=')[0]!)
  const valueAt = (path: string): unknown =>
    path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], values)
  const unknown = set.find((path) => valueAt(path) === undefined)
  return unknown == null ? fileFault(words) : `the chart has no value ${unknown}`
}

/** What is wrong with a line, if anything. */
async function faultOf (line: string, fenced: boolean): Promise<string | undefined> {
  const [command, ...words] = wordsOf(line)
  if (command === 'npx') return await faultOf(line.replace(/^npx\s+/, ''), fenced)
  if (command === 'consilium') return await consiliumFault(words, fenced && !line.endsWith('…'))
  if (command === 'npm') return await npmFault(words)
  if (command === 'docker') return await dockerFault(words)
  if (command === 'helm') return helmFault(words)
  return fileFault(words)
}

async function faultsOf ({ file, line, fenced }: CommandLine): Promise<string[]> {
  const faults: string[] = []
  // What a shell reads from a file is none of the command's words.
  for (const part of line.replace(/ < \S+$/, '').split(' && ').flatMap(alternatives).filter((each) => !/^\S+( run)? …$/.test(each))) {
    const fault = await faultOf(part, fenced)
    if (fault != null) faults.push(`${file}: ${part}: ${fault}`)
  }
  return faults
}

describe('command lines in the pages', () => {
  const lines = documents().flatMap(linesOf).filter(({ line }) => !NO_COMMANDS.has(line))

  it('are found', () => {
    expect(lines).to.have.length.above(100)
  })

  for (const [line, why] of [
    ['consilium predict --image slice.png --uot mask.png', 'unknown flag --uot'],
    ['consilium invite', 'peerId is missing'],
    ['npm run no-such-script', 'no script no-such-script'],
    ['npm run testnet -- --kill 9@9', '--kill'],
    ['npm run bench:sam -- --no-such-flag', 'no --no-such-flag'],
    ['npx mocha test/no/such.spec.ts', 'does not exist'],
    ['docker run --rm consilium:0.2.0 innit', 'innit'],
    ['docker build -f deploy/no/Dockerfile -t consilium:0.2.0 .', 'does not exist'],
    ['helm install north deploy/helm/consilium --set setop=true', 'no value setop']
  ] as const) {
    it(`would be told of: ${line}`, async () => {
      expect(await faultOf(line, true)).to.include(why)
    })
  }

  for (const file of documents()) {
    it(`parse: ${file}`, async () => {
      const faults: string[] = []
      for (const each of lines.filter((line) => line.file === file)) faults.push(...await faultsOf(each))
      expect(faults).to.deep.equal([])
    })
  }
})
