import { z } from 'zod'
import { oneOf, setting, whole } from '../setting.ts'

const NOTIFY = 'must be an address that begins with https:// or the whole path of a program such as /usr/local/bin/tell-it'

/** What this site says and keeps of its work. */
export const records = z.strictObject({
  logLevel: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), 'What to log on stderr'),
  notify: setting(
    z.string(NOTIFY).refine(isNotify, NOTIFY).optional(),
    'Who is told when something begins or ends that a person must hear of: a web address that takes JSON by POST, or a program that ' +
      'reads it on its standard input',
    { otherwise: 'nobody' }
  ),
  notifyAloneHours: setting(
    z.coerce.number().min(0).max(8_760).default(12),
    'For how long this site must be alone before that is told',
    { unit: 'hours' }
  ),
  pictures: setting(
    whole(20).default(5),
    'How many validation images are kept, with what the models outline in them, in the folder private of the home for ' +
      '"consilium page"; 0 for none'
  ),
  keepRounds: setting(whole().optional(), "How many finished rounds' adapters stay in the home's folder adapters, 0 for all", {
    otherwise: 'all'
  })
})

function isNotify (text: string): boolean {
  return text.startsWith('/') || (URL.canParse(text) && new URL(text).protocol === 'https:')
}
