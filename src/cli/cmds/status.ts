import { InputError } from '../../errors.ts'
import { joiningInWords } from '../../home/joining.ts'
import { fetchControl, fetchHealth } from '../../node/control/client.ts'
import type { PeerView, PublicationView, SiteStatus } from '../../rounds/status.ts'
import { command, withFlags } from '../flags.ts'
import { describeArrived, describePace, describeReads, homeFlag, jsonFlag, print } from '../output.ts'

const healthFlag = {
  health: { type: 'boolean', describe: 'only whether it is well, and why not: ends with 1 where it is not, for containers', default: false }
} as const

export const status = command({
  command: 'status',
  describe: 'what the daemon of this site is doing',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag, ...healthFlag }),
  handler: async ({ home, json, health }) => {
    if (health) {
      await sayHealth(home, json)
      return
    }
    const value = await fetchControl<SiteStatus>(home, '/status')
    print(json, value, () => describe(value))
  }
})

export const peers = command({
  command: 'peers',
  describe: 'the other sites: connected or not, round, Dice',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const list = await fetchControl<PeerView[]>(home, '/peers')
    print(json, list, () => list.length === 0 ? 'no other site is known yet' : list.map(describePeer).join('\n'))
  }
})

/** What /healthz answers. */
async function sayHealth (home: string, json: boolean): Promise<void> {
  const health = await fetchHealth(home)
  if (!health.ok) throw new InputError(health.reason)
  print(json, health, health.reason)
}

function describe (value: SiteStatus): string {
  const { partner } = value
  const lines = [
    `${value.name}  ${value.peerId}`,
    `software    consilium ${value.software} (${value.protocols.map((each) => each.replace('/', ' ')).join(', ')})`,
    `federation  ${value.federation}`,
    `round       ${value.round} of ${value.rounds}${describeKind(value)}, ${value.phase}${partner == null ? '' : ` with ${partner}`}`,
    `trainer     ${value.trainer}${describeReads(value.reads)}`,
    ...(value.steps == null ? [] : [`training    ${describeSteps(value.steps)}${describeImages(value)}${describePace(value.pace)}`]),
    ...describePublications(value.publications),
    ...describeUnscored(value),
    ...(value.waitsFor == null ? [] : [`waits for   ${value.waitsFor.join(', ')}`]),
    ...(value.compute == null ? [] : [`engine      ${value.compute.engine} on ${value.compute.provider} (${value.compute.reason})`]),
    `peers       ${value.peers} connected, ${value.exchanges} exchanges, ${value.bytesSent} B sent, ${value.bytesReceived} B received`
  ]
  if (value.dice != null) lines.push(`Dice        ${describeDice(value.dice)}`)
  if (value.dice?.alone != null) lines.push(`            ${joiningInWords(value.dice)}`)
  for (const [name, dice] of Object.entries(value.classes ?? {})) lines.push(`            ${name}: ${describeDice(dice)}`)
  if (value.consensus != null) lines.push(`consensus   ${value.consensus.toFixed(4)} (relative distance, estimated)`)
  return [
    ...lines,
    ...value.addresses.map((address) => `listens on  ${address}`),
    ...value.relays.map((relay) => `relay       ${relay}`),
    ...(value.relayedBytes === 0 ? [] : [`relayed     ${value.relayedBytes} B for others`]),
    ...value.warnings.map((warning) => `warning     ${warning}`)
  ].join('\n')
}

/** Nothing where all rounds of a federation are alike. */
function describeKind ({ labelFree }: SiteStatus): string {
  return labelFree == null ? '' : labelFree ? ' (without labels)' : ' (with labels)'
}

function describeUnscored ({ unscored }: SiteStatus): string[] {
  return unscored === true ? ['Dice        none: no image of this site that is held back has a whole mask'] : []
}

function describeDice (dice: NonNullable<SiteStatus['dice']>): string {
  const { frozen, global, personal, alone } = dice
  const beside = alone == null ? '' : `, alone ${alone.toFixed(3)}`
  return `frozen ${frozen.toFixed(3)}, global ${global.toFixed(3)}, personal ${personal.toFixed(3)}${beside}`
}

function describeSteps ({ trained, arrived, lost }: NonNullable<SiteStatus['steps']>): string {
  return `${trained} steps, of which ${arrived} reached another site${lost === 0 ? '' : ` and ${lost} were lost`}`
}

function describeImages ({ images }: SiteStatus): string {
  return images == null ? '' : `; ${images.seen} of ${images.all} images seen`
}

/** Also which sites show nothing of it. */
function describePublications (views: readonly PublicationView[] = []): string[] {
  return views.map(({ kind, consents, shows, received, without }) => {
    const own = shows ? 'shown' : consents ? 'not shown: there is none, or exchanges pause' : 'not shown: policy.json does not say so'
    const none = without.length === 0 ? '' : `; none of ${without.join(', ')}`
    return `shares      ${kind}, ${own}; held of ${received.length} other ${received.length === 1 ? 'site' : 'sites'}${none}`
  })
}

function describeClasses (classes: PeerView['classes'] = {}): string {
  const each = Object.entries(classes).map(([name, dice]) => `${name} ${dice.toFixed(3)}`)
  return each.length === 0 ? '' : ` (${each.join(', ')})`
}

function describePeer (peer: PeerView): string {
  const away = peer.lastSeen == null ? 'never seen' : `last seen ${peer.lastSeen}`
  const seen = peer.connected ? `connected${peer.reach == null ? '' : `, ${peer.reach}`}` : away
  const training = peer.round == null
    ? ''
    : `, round ${peer.round}, ${peer.phase ?? ''}${peer.dice == null ? '' : `, Dice ${peer.dice.toFixed(3)}`}`
  const software = peer.software == null ? '' : `, consilium ${peer.software}`
  const learnt = `${training}${describeClasses(peer.classes)}${describeArrived(peer.steps)}${describePace(peer.pace)}`
  return `${peer.peerId}  ${seen}${describeReads(peer.reads)}${learnt}${software}`
}
