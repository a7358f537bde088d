import { MembershipService } from './membership.ts'
import type { Membership, MembershipComponents, MembershipInit } from './types.ts'

export { Admissions } from './admissions.ts'
export type {
  CredentialReason,
  DocumentsPort,
  Greeting,
  KeyVersion,
  Membership,
  MembershipComponents,
  MembershipInit,
  MembershipPort,
  NetworkKey,
  ScoresPort
} from './types.ts'

/**
 * libp2p service for the certificate exchange of docs/spec/network.md#certificates: `services: { membership: membership({ federationId,
 * membership: port, admissions }) }`.
 */
export function membership (init: MembershipInit): (components: MembershipComponents) => Membership {
  return (components) => new MembershipService(components, init)
}
