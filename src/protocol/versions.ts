import { SOFTWARE } from '../common/software.ts'

/** Version of each protocol that this software speaks. */
const PROTOCOLS = {
  kad: '1.0.0',
  membership: '1.0.0',
  'adapter-exchange': '1.0.0',
  outcome: '1.0.0',
  'group-average': '1.0.0',
  announce: '1',
  publication: '1.0.0'
} as const

export type Protocols = Readonly<Record<keyof typeof PROTOCOLS, string>>

/** What a site says of itself to those who may run other software. */
export interface Software {
  readonly version: string
  readonly protocols: Protocols
}

export const THIS_SOFTWARE: Software = { version: SOFTWARE, protocols: PROTOCOLS }

/** Of the federation's own protocol of this name, as libp2p negotiates it. */
export function protocolId (federationId: string, name: keyof Protocols, protocols: Protocols = PROTOCOLS): string {
  return `/consilium/${federationId}/${name}/${protocols[name]}`
}

/** As announcements carry them: name/version. */
export function protocolNames (protocols: Protocols): string[] {
  return Object.entries(protocols).map(([name, version]) => `${name}/${version}`)
}
