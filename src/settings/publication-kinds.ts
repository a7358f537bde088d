/** Kinds of vectors that a site may show to the others as they are, and that nobody averages (docs/spec/publications.md). */
export const PUBLICATIONS = ['amplitude-bank', 'core-adapter', 'moments'] as const
/** Of each kind, of so many other sites, what they show is kept. */
export const MOST_SHOWN = 8
export type PublicationKind = typeof PUBLICATIONS[number]
