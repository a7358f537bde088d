import { z } from 'zod'

/** What a site trains in one stretch: G fits the global parameters with what the method keeps of them, L the experts. */
export const PHASES = ['G', 'L'] as const
export type Phase = typeof PHASES[number]

/** Groups of the global parameters: of the image encoder, of the mask decoder. */
export const GLOBAL_GROUPS = ['encoder', 'decoder'] as const
export type GlobalGroup = typeof GLOBAL_GROUPS[number]

/** How this federation's method differs from pFedSAM beyond model, training and averaging; absent for pFedSAM. */
export const method = z.strictObject({
  /** The preset that the founder took, for people: nothing depends on it. */
  preset: z.string().min(1).max(60).optional(),
  /** Groups of the global parameters that stay at every site: trained with the others, never sent. */
  keeps: z.array(z.enum(GLOBAL_GROUPS)).min(1).max(GLOBAL_GROUPS.length - 1).optional()
})

export type MethodSettings = z.infer<typeof method>
