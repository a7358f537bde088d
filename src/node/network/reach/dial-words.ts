export type DialCause = 'SELF' | 'IDENTITY' | 'KEY' | 'NAME' | 'REFUSED' | 'PROXY' | 'SILENCE'

const CAUSES: readonly (readonly [RegExp, DialCause])[] = [
  [/dial self|gater denied all addresses/i, 'SELF'],
  [/identity key .* does not match/i, 'IDENTITY'],
  [/no network key in common/i, 'KEY'],
  [/the proxy /i, 'PROXY'],
  [/ENOTFOUND|EAI_AGAIN|no valid addresses/i, 'NAME'],
  [/ECONNREFUSED/, 'REFUSED']
]

const SILENCE = 'does not answer'

const WORDS: Record<Exclude<DialCause, 'PROXY'>, string> = {
  SELF: "is not dialled: it is this site's own (remove it), or of a site that is cut off",
  IDENTITY: 'is that of another site by now: ask for the present one',
  KEY: "is that of a site with which this one has no network key in common: compare the federation's id on both sides",
  NAME: `${SILENCE} (its name cannot be looked up: check it, and the DNS of this machine)`,
  REFUSED: `${SILENCE} (a machine is there, but no site listens on that port: is it running?)`,
  SILENCE
}

/** Why a dial failed, as far as its error tells. */
export function dialCause (error: unknown): DialCause {
  const words = textOf(error)
  return CAUSES.find(([pattern]) => pattern.test(words))?.[1] ?? 'SILENCE'
}

/** Completes a sentence that begins with an address; what a proxy said is repeated. */
export function dialWords (error: unknown): string {
  const cause = dialCause(error)
  return cause === 'PROXY' ? `${SILENCE} (${/the proxy [^;]*/i.exec(textOf(error))?.[0] ?? 'the proxy refused'})` : WORDS[cause]
}

function textOf (error: unknown): string {
  if (error instanceof AggregateError) return [error.message, ...error.errors.map(textOf)].join('; ')
  return error instanceof Error ? `${error.name} ${error.message}` : String(error)
}
