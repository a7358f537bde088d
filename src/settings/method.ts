import { z } from 'zod'
import { setting } from './setting.ts'

/** What a site trains in one stretch: G fits the global parameters with what the method keeps of them, L the experts. */
export type TrainPhase = 'G' | 'L'

/** Groups of the global parameters: of the image encoder, of the mask decoder. */
const GLOBAL_GROUPS = ['encoder', 'decoder'] as const
export type GlobalGroup = typeof GLOBAL_GROUPS[number]

/** How a federation's method differs from pFedSAM beyond model, training and averaging. */
export const method = z.strictObject({
  preset: setting(z.string().min(1).max(60).optional(), 'The preset that the founder took, for people: nothing depends on it', {
    otherwise: 'pfedsam'
  }),
  keeps: setting(
    z.array(z.enum(GLOBAL_GROUPS)).min(1).max(GLOBAL_GROUPS.length - 1).optional(),
    'Groups of the adapter that stay at every site: trained with the others, never sent',
    { otherwise: 'none' }
  )
})

export type MethodSettings = Readonly<z.infer<typeof method>>
