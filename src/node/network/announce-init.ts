import type { SiteMembership } from '../../federation/membership/site-membership.ts'
import { factNumbers } from '../../gossip-aggregation/facts.ts'
import type { AnnounceInit } from '../../protocol/announce/index.ts'
import { factSpecs } from '../../settings/facts.ts'

/** Whose announcements are heard, and with which credential this site speaks. */
export function announceInit (
  { federationId, membership, instance, now }: {
    readonly federationId: string,
    readonly membership: SiteMembership,
    readonly instance: number,
    readonly now?: () => number
  }
): AnnounceInit {
  return {
    federationId,
    instance,
    facts: factNumbers(factSpecs(membership.federation.document)),
    ...(now == null ? {} : { now }),
    get rounds () { return membership.documents.mostRounds },
    isOutcast: (author) => membership.isOutcast(author),
    isCertified: async (author, credential) => await membership.isCertified(author, credential),
    credential: () => membership.greeting().credential
  }
}
