import { z } from 'zod'
import { oneOf, setting, whole } from '../setting.ts'

const NAME = 'must have 1 to 60 characters'
const FOLDER = 'must name a folder'

/** Who this site is, and what it trains on. */
export const identity = z.strictObject({
  name: setting(z.string(NAME).min(1, NAME).max(60, NAME).optional(), 'Name of this site in its own logs and reports', {
    otherwise: 'the last 8 characters of its peer id'
  }),
  data: setting(
    z.string(FOLDER).min(1, FOLDER).optional(),
    'Folder with images and masks (or nnU-Net raw layout), or studies of a PACS: dicomweb+https://HOST/PATH?ATTRIBUTE=VALUE'
  ),
  withoutLabels: setting(
    z.boolean().default(false),
    'This site has images and no masks: it reads what the others average, moves none of them, and trains nothing but what stays here'
  ),
  axis: setting(
    oneOf(['auto', 'axial', 'coronal', 'sagittal']).default('auto'),
    'Plane in which volumes are cut into slices, auto for the one in which they were acquired'
  ),
  correctionWeight: setting(
    whole(16, 1).default(2),
    'How often a slice whose labels were corrected in a viewer is trained on while the others are once'
  )
})
