import { z } from 'zod'
import { amendments } from './amendments.ts'
import { compute } from './compute.ts'
import { identity } from './identity.ts'
import { network } from './network.ts'
import { pacs } from './pacs.ts'
import { records } from './records.ts'

/** What one site may set for itself; file < environment < flag. */
export const siteConfig = z.strictObject({
  ...identity.shape,
  ...pacs.shape,
  ...network.shape,
  ...amendments.shape,
  ...compute.shape,
  ...records.shape
})

/** The settings of a site: docs/reference/settings.md. */
export type SiteConfig = z.infer<typeof siteConfig>
export type SiteSettings = z.input<typeof siteConfig>
