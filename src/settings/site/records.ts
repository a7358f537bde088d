import { z } from 'zod'
import { oneOf, setting, whole } from '../setting.ts'

/** What this site says and keeps of its work. */
export const records = z.strictObject({
  logLevel: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), 'What to log on stderr'),
  keepRounds: setting(whole().optional(), "How many finished rounds' adapters stay in the home's folder adapters, 0 for all", {
    otherwise: 'all'
  })
})
