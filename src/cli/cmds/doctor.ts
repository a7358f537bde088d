import { InputError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import { engine } from '../../settings/site/compute.ts'
import type { Examination } from '../doctor/examine.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { flagsOf, settingsIn } from '../setting-flags.ts'

export const doctor = command({
  command: 'doctor',
  describe: 'engine, GPU, memory, ports, clock, disk: what works, and what to do for more',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag, ...flagsOf(engine) }),
  handler: async (args) => {
    await requireKnownHome(args.home)
    const config = await loadConfig(sitePaths(args.home).config, settingsIn(engine, args))
    const { examine } = await import('../doctor/examine.ts')
    const found = await examine(args.home, config)
    print(args.json, found, () => describe(found))
    const problems = problemsOf(found)
    if (problems.length > 0) throw new InputError(problems.join('; '))
  }
})

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
