import { z } from 'zod'
import { oneOf, setting } from '../setting.ts'

/** What this site says and keeps of its work. */
export const records = z.strictObject({
  logLevel: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), 'What to log on stderr')
})
