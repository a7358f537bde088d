import { z } from 'zod'
import { setting, whole } from '../setting.ts'

/** What this site keeps of a PACS that it reads over DICOMweb. */
export const pacs = z.strictObject({
  pacsCache: setting(
    whole(2 ** 24, 1).default(16_384),
    'Files of a PACS (dicomweb+https://…) that the private folder keeps, those unused longest go first',
    { unit: 'MiB' }
  )
})
