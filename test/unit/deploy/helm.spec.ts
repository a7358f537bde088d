import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, parseAllDocuments } from 'yaml'
import { program } from '../../../src/cli/program.ts'
import { settingsFromEnvironment } from '../../../src/home/config/load.ts'
import { ROOT } from '../documents/markdown.ts'

const CHART = join(ROOT, 'deploy/helm/consilium')
const read = (file: string): string => readFileSync(join(CHART, file), 'utf8')
const templates = readdirSync(join(CHART, 'templates')).map((name) => `templates/${name}`)

/** One of each choice that the chart has. */
const SETTINGS: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  'for setting up': ['setup=true'],
  'with everything': [
    'metrics.enabled=true', 'secret.metricsToken=0123456789abcdef01234567', 'data.hostPath=/data/prostate',
    'announce={/ip4/203.0.113.7/tcp/4001}', 'networkPolicy.peers={203.0.113.0/24}',
    'metrics.labels.release=prometheus', 'image.pullSecrets[0].name=registry'
  ],
  'with what is there': ['home.existingClaim=home', 'data.existingClaim=data', 'secret.existing=ours', 'metrics.enabled=true']
}

interface Resource {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: Record<string, unknown>
}

function has (values: unknown, path: readonly string[]): boolean {
  const [first, ...rest] = path
  if (first == null) return true
  return typeof values === 'object' && values != null && first in values && has((values as Record<string, unknown>)[first], rest)
}

/** Values that a template names and values.yaml lacks. */
function unknownValues (text: string, values: unknown): string[] {
  return [...text.matchAll(/\.Values((?:\.\w+)+)/g)].map(([, path]) => path!.slice(1)).filter((path) => !has(values, path.split('.')))
}

describe('the Helm chart', () => {
  const values: unknown = parse(read('values.yaml'))

  it('uses the values that it documents, and documents no other', () => {
    const all = templates.map(read).join('\n')
    expect(unknownValues(all, values)).to.deep.equal([])
    expect(unknownValues('{{ .Values.home.sice }}', values)).to.deep.equal(['home.sice'])
    const sections = Object.entries(values as Record<string, unknown>)
    const leaves = sections.flatMap(([name, value]) =>
      typeof value === 'object' && value != null && !Array.isArray(value) && new RegExp(`\\.Values\\.${name}\\.`).test(all)
        ? Object.keys(value).map((key) => `${name}.${key}`)
        : [name])
    expect(leaves.filter((path) => !all.includes(`.Values.${path}`))).to.deep.equal([])
  })

  it('is of this version, and has the alerts of deploy/prometheus', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect(parse(read('Chart.yaml'))).to.include({ version, appVersion: version })
    expect(read('files/alerts.yml')).to.equal(readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8'))
  })

  it('names settings, flags and commands that there are', async () => {
    const { settings } = values as { settings: Record<string, string> }
    expect(Object.keys(settingsFromEnvironment(settings))).to.have.length(Object.keys(settings).length)
    const set = read('templates/statefulset.yaml')
    const flags = [...set.matchAll(/^ +- (--[\w-]+)$/gm)].map(([, flag]) => flag!)
    expect(flags).to.include.members(['--data', '--listen', '--announce', '--metrics-token', '--metrics-listen'])
    const commands = [...set.matchAll(/command: (\["consilium".*\])/g)].map(([, json]) => (JSON.parse(json!) as string[]).slice(1))
    expect(commands).to.have.length(3)
    for (const words of [...commands, ['start', ...flags.flatMap((flag) => [flag, '/ip4/0.0.0.0/tcp/4001'])]]) {
      const parser = program(words).middleware(() => { throw new Error('far enough') }, false)
      const said = await (async () => await parser.parseAsync())().then(() => 'its end', (error: Error) => error.message)
      expect(said, words.join(' ')).to.equal('far enough')
    }
  })

  it('has the user and the home of the image', () => {
    const image = readFileSync(join(ROOT, 'deploy/oci/Dockerfile'), 'utf8')
    const user = /^USER (\d+):/m.exec(image)?.[1]
    const home = /^VOLUME (.*)$/m.exec(image)?.[1]
    expect(read('templates/statefulset.yaml')).to.include(`runAsUser: ${user}`).and.to.include(`mountPath: ${home}\n`)
  })

  describe('as helm sees it', function () {
    this.timeout(300_000)

    before(function () {
      if (spawnSync('helm', ['version']).error == null) return
      console.log('      skipped: helm is missing')
      this.skip()
    })

    /** What helm says; a fault where it ends with one. */
    function helm (...args: string[]): { status: number | null, said: string } {
      const { status, stdout, stderr } = spawnSync('helm', args, { encoding: 'utf8' })
      return { status, said: stdout + stderr }
    }

    const flagsOf = (settings: readonly string[]): string[] => settings.flatMap((each) => ['--set', each])

    for (const [name, settings] of Object.entries(SETTINGS)) {
      it(`is well formed ${name}`, () => {
        const lint = helm('lint', '--strict', CHART, ...flagsOf(settings))
        expect(lint.status, lint.said).to.equal(0)
        const { status, said } = helm('template', 'north', CHART, ...flagsOf(settings))
        expect(status, said).to.equal(0)
        const resources = parseAllDocuments(said).map((each) => each.toJS() as Resource)
        const named = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
        expect(named).to.include.members(['StatefulSet north-consilium', 'Service north-consilium', 'NetworkPolicy north-consilium'])
        expect(new Set(named).size).to.equal(named.length)
        const set = resources.find(({ kind }) => kind === 'StatefulSet')!
        expect(set.spec['replicas']).to.equal(1)
        const rule = resources.find(({ kind }) => kind === 'PrometheusRule')
        expect(rule != null).to.equal(settings.includes('metrics.enabled=true'))
        if (rule != null) expect(rule.spec).to.deep.equal(parse(read('files/alerts.yml')))
      })
    }

    it('refuses what cannot be', () => {
      for (const [settings, sentence] of [
        [['metrics.enabled=true'], 'metrics.enabled needs a token'],
        [['data.existingClaim=a', 'data.hostPath=/b'], 'name one of them']
      ] as const) {
        const { status, said } = helm('template', 'north', CHART, ...flagsOf(settings))
        expect(status).not.to.equal(0)
        expect(said).to.include(sentence)
      }
    })
  })
})
