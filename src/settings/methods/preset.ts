import type { FederationSettings } from '../federation-settings.ts'

/** Every part may be left out; lists are replaced whole. */
type Part<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Part<T[K]> } : T

/** What of images is shown, and how, follows from the data, never from a method. */
type OfMethod = Omit<FederationSettings, 'model'> & { readonly model: Omit<FederationSettings['model'], 'channels' | 'window'> }

/** A method as plain data: what it changes of the default settings of a federation, which are pFedSAM's. */
export interface Preset {
  readonly name: string
  /** One line for people; says so where the method is after another's description rather than its code. */
  readonly title: string
  /** arXiv number or where it was published. */
  readonly paper?: string
  readonly settings: Part<OfMethod>
}
