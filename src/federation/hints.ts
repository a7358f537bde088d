import { z } from 'zod'
import { isMultiaddress, MOST_ADDRESS_CHARACTERS } from '../settings/site/multiaddress.ts'

const MOST_HINTS = 8
const ADDRESS = 'must be an address such as /dns4/relay.example/tcp/443/tls/ws/p2p/12D3…'

/** Where a document says that sites of its federation are, which pass connections on or know others. */
export const hintList = z.array(z.string().max(MOST_ADDRESS_CHARACTERS, ADDRESS).refine(isMultiaddress, ADDRESS)).min(1).max(MOST_HINTS)

interface Hinting { readonly hints?: string[] | undefined }

/** As a document has them: one without any says nothing of them. */
export function withHints (hints: readonly string[] = []): { hints?: string[] } {
  return hints.length === 0 ? {} : { hints: [...new Set(hints)] }
}

/** The addresses of others that a site was told, and those that its federation's document names. */
export function knownAddresses (told: readonly string[], { hints = [] }: Hinting): string[] {
  return [...new Set([...told, ...hints])]
}
