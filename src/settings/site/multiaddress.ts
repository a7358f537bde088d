import { multiaddr } from '@multiformats/multiaddr'

/** Whether a text is an address of at least one part, such as /ip4/10.0.0.5/tcp/4001. */
export function isMultiaddress (text: string): boolean {
  try {
    return multiaddr(text).getComponents().length > 0
  } catch {
    return false
  }
}

/** Longest address that an invitation or a document holds. */
export const MOST_ADDRESS_CHARACTERS = 300
