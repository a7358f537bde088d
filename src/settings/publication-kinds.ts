/** Kinds of vectors that a site may show to the others as they are, and that nobody averages (docs/spec/publications.md). */
export const PUBLICATIONS = ['amplitude-bank', 'core-adapter', 'moments'] as const
export type PublicationKind = typeof PUBLICATIONS[number]
