import { multiaddr } from '@multiformats/multiaddr'
import { UsageError } from '../../errors.ts'
import { MAX_ADDRESS_CHARACTERS } from '../membership/invitation.ts'

/** @throws UsageError naming the first that no site can be reached at. */
export function requireAddresses (bootstrap: readonly string[]): void {
  const wrong = bootstrap.find((each) => !isAddress(each))
  if (wrong != null) throw new UsageError(`--bootstrap ${wrong} is not a multiaddress: it looks like /ip4/10.0.0.5/tcp/4001/p2p/12D3…`)
}

function isAddress (text: string): boolean {
  try {
    return text.length <= MAX_ADDRESS_CHARACTERS && multiaddr(text).getComponents().length > 0
  } catch {
    return false
  }
}
