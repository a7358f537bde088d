import { z } from 'zod'
import { setting, whole } from '../setting.ts'
import { isMultiaddress, isTls } from './multiaddress.ts'

const ADDRESSES = 'must be addresses such as /ip4/10.0.0.5/tcp/4001'
const NO_TLS = 'must have no /tls and no /wss, since a site has no certificate for TLS: /ws is encrypted by Noise already, ' +
  'and a proxy in front of it can add TLS'
const addresses = z.array(z.string(ADDRESSES).refine(isMultiaddress, ADDRESSES), ADDRESSES)

/** Where this site listens, and whom it asks first. */
export const network = z.strictObject({
  listen: setting(
    addresses.min(1, ADDRESSES).refine((all) => !all.some(isTls), NO_TLS).default(['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']),
    'Addresses to listen on'
  ),
  bootstrap: setting(addresses.default([]), 'Addresses of sites that are up, such as /ip4/10.0.0.5/tcp/4001/p2p/12D3…'),
  controlPort: setting(whole(65_535).default(0), 'Loopback port of the control API, 0 for any')
})
