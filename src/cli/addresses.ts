import { UsageError } from '../errors.ts'
import { MAX_ADDRESS_CHARACTERS } from '../federation/membership/invitation.ts'
import { isMultiaddress } from '../settings/site/multiaddress.ts'

/** @throws UsageError naming the first that no site can be reached at. */
export function requireAddresses (bootstrap: readonly string[]): void {
  const wrong = bootstrap.find((each) => each.length > MAX_ADDRESS_CHARACTERS || !isMultiaddress(each))
  if (wrong != null) throw new UsageError(`--bootstrap ${wrong} is not a multiaddress: it looks like /ip4/10.0.0.5/tcp/4001/p2p/12D3…`)
}
