import { METHODS } from '../../src/experiment/methods.ts'
import { PRESETS } from '../../src/settings/methods/index.ts'
import { code, page, table } from './page.ts'

/** docs/reference/methods.md: every preset, its paper, what it changes, and how the experiment runs it. */
export function methodsPage (): string {
  const how = METHODS.map(({ name, title, preset, mixing, mode, alone }) => [
    code(name),
    title,
    code(preset),
    alone == null ? mixing : `${mixing}, the last ${100 * alone} % of the rounds alone`,
    mode
  ])
  return page('Methods', [
    'A method is settings: a preset names what it changes of the defaults, which are pFedSAM. All of them run in the daemon:',
    '```\nconsilium federation create --name "Prostate North" --method fedper\nnpm run testnet -- --method fedavg-lora\n```',
    table(['preset', 'method', 'paper', 'what it changes'], PRESETS.map(({ name, title, settings, ...said }) => [
      code(name),
      title,
      'paper' in said ? said.paper : '',
      Object.keys(settings).length === 0 ? 'nothing' : code(JSON.stringify(settings))
    ])),
    '## In the experiment',
    'Rows of `npm run bench:pfedsam -- --only NAME` ([pfedsam-bench.md](../pfedsam-bench.md)). The exact average of a server is\n' +
    'only there; a federation averages by gossip.',
    table(['row', 'in reports', 'preset', 'mixing', 'serves'], how)
  ])
}
