import type { Federation } from '../federation/document.ts'
import type { BundleHeader } from './bundle.ts'

/** Why the site that made this bundle is, or is not, one of the federation: by the document and the bundle alone. */
export function standingOf ({ peerId, federation }: BundleHeader, { id, document }: Federation): { readonly member: boolean, readonly why: string } {
  if (federation !== id) return { member: false, why: `the bundle is of federation ${federation}, and the document is of ${id}` }
  if (document.founders.includes(peerId)) return { member: true, why: 'the document names it as a founder' }
  return { member: false, why: 'the document does not name it as a founder, and the bundle carries no certificate' }
}
