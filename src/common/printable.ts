const STEERING = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu
const LONGEST = 4_000

/**
 * Text of lines as a terminal may get it: characters that would move its cursor, colour it, rename its window or turn the direction of
 * writing are spelled out (\u001b), as JSON may write them too. Names of files, words of others and bytes of foreign files pass here.
 */
export function printable (text: string): string {
  return text.replace(STEERING, (character) => character === '\n' || character === '\t' ? character : spelled(character))
}

/** The same of one sentence, which stays one line of at most 4,000 characters. */
export function printableLine (text: string): string {
  const spelt = text.replace(STEERING, spelled)
  return spelt.length > LONGEST ? `${spelt.slice(0, LONGEST)}…` : spelt
}

function spelled (character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
