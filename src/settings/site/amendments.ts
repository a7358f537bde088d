import { z } from 'zod'
import { oneOf, setting } from '../setting.ts'

/** What this site does when the founders amend the federation. */
export const amendments = z.strictObject({
  amendments: setting(
    oneOf(['ask', 'rounds', 'accept']).default('ask'),
    'What happens with an amended document that enough founders signed: wait for "federation agree" here, go on by itself where it only ' +
      'has more rounds, or with whatever it says'
  ),
  renewCertificates: setting(
    z.boolean().default(true),
    'At a founder or inviter: sign what follows on the certificate of a member who comes with one of 90 days or more that ends soon; ' +
      'without it somebody types "consilium invite" each time'
  )
})

export type AmendmentRule = z.infer<typeof amendments>['amendments']
