import { UsageError } from '../errors.ts'
import { addressFault } from '../federation/membership/invitation.ts'

/** @throws UsageError naming the first that no site can be reached at. */
export function requireAddresses (bootstrap: readonly string[]): void {
  const fault = addressFault(bootstrap)
  if (fault != null) throw new UsageError(`--bootstrap ${fault}`)
}
