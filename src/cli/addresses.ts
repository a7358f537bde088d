import { UsageError } from '../errors.ts'
import { addressFault } from '../federation/membership/invitation.ts'

/** @throws UsageError naming the first that no site can be reached at. */
export function requireAddresses (addresses: readonly string[], flag = '--bootstrap'): void {
  const fault = addressFault(addresses)
  if (fault != null) throw new UsageError(`${flag} ${fault}`)
}
