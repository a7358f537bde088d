import { InputError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import { engine } from '../../settings/site/compute.ts'
import { checkInvitation } from '../doctor/check-invitation.ts'
import type { Examination } from '../doctor/examine.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { readInvitation } from '../read-invitation.ts'
import { flagsOf, settingsIn } from '../setting-flags.ts'

const federationFlag = {
  federation: {
    type: 'string',
    describe: 'try the way to the sites of this invitation (its file, itself, or - for standard input), step by step, and nothing else'
  }
} as const

const NO_LABELS = 'this site has none: it reads what the others average, and has no Dice'

export const doctor = command({
  command: 'doctor',
  describe: 'engine, GPU, memory, ports, clock, disk: what works, and what to do for more',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag, ...flagsOf(engine), ...federationFlag }),
  handler: async (args) => {
    await requireKnownHome(args.home)
    if (args.federation != null) {
      await examineFederation(args.home, args.federation, args.json)
      return
    }
    const config = await loadConfig(sitePaths(args.home).config, settingsIn(engine, args))
    const { examine } = await import('../doctor/examine.ts')
    const found = await examine(args.home, config)
    print(args.json, found, () => config.withoutLabels ? `${describe(found)}\n${line('labels', true, NO_LABELS)}` : describe(found))
    const problems = problemsOf(found)
    if (problems.length > 0) throw new InputError(problems.join('; '))
  }
})

/** Before joining: the invitation itself, then the way to each of its addresses. */
async function examineFederation (home: string, text: string, json: boolean): Promise<void> {
  const { invitation, steps: first } = await checkInvitation(home, await readInvitation(text), Date.now())
  const { tryFederation } = await import('../../node/network/reach/try-federation.ts')
  const steps = [...first, ...await tryFederation(invitation, await loadConfig(sitePaths(home).config, {}))]
  print(json, steps, () => steps.map(({ name, ok, detail }) => line(name, ok, detail)).join('\n'))
  const last = steps.at(-1)
  if (last?.ok === false) throw new InputError(last.detail)
}

function problemsOf ({ chosen, checks }: Examination): string[] {
  return [
    ...(typeof chosen === 'string' ? [chosen] : []),
    ...checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
  ]
}

function describe (found: Examination): string {
  const { engines, providers, chosen, gflops, cores, threads, memory, node, checks, advice } = found
  return [
    ...engines.map(({ name, found: there, detail }) => line(`engine ${name}`, there, detail)),
    ...providers.map((each) =>
      line(`provider ${each.provider}`, each.works, each.works ? `${each.gflops.toFixed(1)} GFLOP/s in the self-test` : each.reason)
    ),
    typeof chosen === 'string'
      ? line('chosen', false, chosen)
      : line('chosen', true, `${chosen.name} on ${chosen.provider} (${chosen.reason})`),
    ...(gflops == null ? [] : [line('speed', true, `${gflops.toFixed(1)} GFLOP/s over one second`)]),
    line(
      'machine',
      true,
      `${cores} cores, ${threads} threads, ${gibibytes(memory.availableBytes)} of ${
        gibibytes(memory.totalBytes)
      } GiB memory free, Node ${node}`
    ),
    ...checks.map(({ name, ok, detail }) => line(name, ok, detail)),
    ...advice
  ].join('\n')
}

function line (name: string, ok: boolean, detail: string): string {
  return `${ok ? 'yes' : 'no '}  ${name.padEnd(18)} ${detail}`
}

function gibibytes (bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1)
}
