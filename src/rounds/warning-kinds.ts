/**
 * Every kind of warning that may hold, in metrics and in notices that are sent: how the keys of its conditions begin, and what it says.
 * Few and known, whoever causes them.
 */
export const WARNING_KINDS = {
  ahead: { keys: ['ahead'], means: 'this site is far ahead of the others and pauses' },
  alone: { keys: ['alone'], means: 'no other site can be reached, or none exchanges' },
  amendment: {
    keys: ['amendment', 'proposed amendment', 'unread amendment', 'agreements'],
    means: 'an amendment of the federation waits for a person, or cannot be read'
  },
  audit: { keys: ['audit'], means: 'the audit ledger cannot be written' },
  banned: { keys: ['banned '], means: 'a site was cut off for what it did' },
  behind: { keys: ['behind'], means: 'this site fell behind and took over what another had' },
  best_round: { keys: ['best round'], means: 'the adapter of the best round cannot be kept' },
  bootstrap: { keys: ['bootstrap '], means: 'a bootstrap address does not answer' },
  certificate_end: { keys: ['expiry'], means: "a certificate ends within 30 days: this site's, or at founders another one's" },
  clock: { keys: ['clock'], means: "this site's clock is wrong" },
  clock_of_peer: { keys: ['clock of '], means: "another site's clock, or this one's, is wrong" },
  collapse: { keys: ['collapse'], means: 'in label-free rounds, all images of this site look alike to the model' },
  core: { keys: ['core '], means: 'what a site shows of its own training is too far off to be used' },
  data: { keys: ['data '], means: 'something about the images and masks that a person should look at' },
  disk: { keys: ['disk'], means: 'little space is left where the home is' },
  far: { keys: ['far '], means: 'the adapter of a site is farther off than its rounds explain' },
  far_key: { keys: ['far key '], means: 'the network key of a founder was not taken' },
  handshake: { keys: ['refused '], means: 'a handshake was refused' },
  labels: { keys: ['labels '], means: 'sites disagree about what a label means' },
  ledger: { keys: ['ledger '], means: "this site's ledger and another one's differ" },
  liar: { keys: ['clipped ', 'pushed '], means: "a site's adapter is far off again and again: it is named and asked last" },
  members: { keys: ['members'], means: 'too few members are there for the first round' },
  no_address: { keys: ['no address'], means: 'this site knows no address of another one' },
  notify: { keys: ['notify'], means: 'a notice could not be sent' },
  own_certificate: { keys: ['own certificate'], means: "this site's certificate does not hold" },
  peer_certificate: { keys: ['certificate '], means: "this site and another did not accept each other's certificate" },
  policy: { keys: ['policy '], means: "this site's policy.json holds exchanges or training back" },
  privacy: { keys: ['privacy'], means: 'the shared adapter is not trained: epsilon is spent, or the privacy ledger does not hold' },
  publication: { keys: ['publication '], means: 'what this site agreed to show cannot be shown' },
  relays: { keys: ['relays'], means: 'no relay is left' },
  restored: { keys: ['restored'], means: 'this home was made of a backup and waits for another site' },
  save: { keys: ['save'], means: 'the adapter cannot be saved' },
  schema: { keys: ['schema '], means: 'a site trains another model' },
  skipped: { keys: ['skipped '], means: 'files were left out' },
  slow: { keys: ['slow '], means: 'exchanges with a site take too long' },
  steps: { keys: ['arrival'], means: "this site's training reaches no other site" },
  test_faults: { keys: ['test faults'], means: 'a testnet makes this site suffer' },
  trainer: { keys: ['trainer'], means: 'the trainer process ended' },
  twin: { keys: ['twin '], means: 'a site runs twice at the same time' },
  uncertified: { keys: ['uncertified'], means: 'sites without a certificate announce themselves' },
  versions: { keys: ['versions '], means: "a site's software and this one's do not fit" },
  worse: { keys: ['worse'], means: 'the model is worse than a week ago' }
} as const satisfies Record<string, { readonly keys: readonly string[], readonly means: string }>

/** Which kind a warning is of: docs/reference/metrics.md. */
export type WarningKind = keyof typeof WARNING_KINDS

/** What a person must hear of: it is sent where that was asked for, and stands first on the page; the rest is there to be read. */
export const TOLD_KINDS: ReadonlySet<WarningKind> = new Set<WarningKind>([
  'alone', 'audit', 'certificate_end', 'disk', 'ledger', 'liar', 'own_certificate', 'save', 'steps', 'twin', 'worse'
])

const BEGINNINGS = (Object.entries(WARNING_KINDS) as [WarningKind, { readonly keys: readonly string[] }][])
  .flatMap(([kind, { keys }]) => keys.map((beginning) => ({ kind, beginning })))
  .sort((a, b) => b.beginning.length - a.beginning.length)

/** The kind of the condition with this key, by the longest beginning that fits. */
export function warningKind (key: string): WarningKind | undefined {
  return BEGINNINGS.find(({ beginning }) => key.startsWith(beginning))?.kind
}
