import type { Policy } from '../../settings/site/policy.ts'
import type { FederationBody } from '../document.ts'

/** Why this site's scores stay at the site, if they do. */
export function whyUntold ({ privacy }: Pick<FederationBody, 'privacy'>, { crossScores }: Policy): string | undefined {
  if (privacy != null) return 'the federation promises differential privacy, and scores are made of patients without any noise'
  return crossScores === true ? undefined : 'policy.json of this site does not say "crossScores": true'
}
