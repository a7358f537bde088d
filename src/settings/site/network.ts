import { z } from 'zod'
import { setting, whole } from '../setting.ts'
import { isMultiaddress } from './multiaddress.ts'

const ADDRESSES = 'must be addresses such as /ip4/10.0.0.5/tcp/4001'
const addresses = z.array(z.string(ADDRESSES).refine(isMultiaddress, ADDRESSES), ADDRESSES)

/** More sites than any site remembers are never waited for. */
const MOST_MEMBERS = 1_000

const MOST_ROUNDS = 100_000

/** Where this site listens, whom it asks first, and whom it waits for. */
export const network = z.strictObject({
  listen: setting(addresses.min(1, ADDRESSES).default(['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']), 'Addresses to listen on'),
  bootstrap: setting(addresses.default([]), 'Addresses of sites that are up, such as /ip4/10.0.0.5/tcp/4001/p2p/12D3…'),
  waitFor: setting(
    whole(MOST_MEMBERS, 1).default(2),
    'Members, this site among them, that must be there before its first round begins; 1 to wait for nobody'
  ),
  aloneRounds: setting(
    whole(MOST_ROUNDS, 1).default(3),
    'Rounds without an exchange after which training pauses until another site is there; as many as sites may be apart and still exchange'
  ),
  controlPort: setting(whole(65_535).default(0), 'Loopback port of the control API, 0 for any')
})
