import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { peerIdText } from '../../federation/signed.ts'
import type { Notices } from '../../rounds/notices.ts'
import { answer, checked } from './answer.ts'

const reconciled = z.strictObject({ peerId: peerIdText, differences: z.number().int().min(0).max(1e9) })

/** Takes in what "audit reconcile" found between this site's ledger and another's: it holds until they are compared again. */
export function ledgerRoutes (app: FastifyInstance, notices: Pick<Notices, 'warn' | 'over'>): void {
  app.post('/ledger/reconciled', async (request, reply) => await answer(reply, async () => {
    const { peerId, differences } = await Promise.resolve(checked(reconciled, request.body))
    if (differences === 0) notices.over(`ledger ${peerId}`, `the ledgers of this site and of site ${peerId} agree again`)
    else {
      notices.warn(
        `ledger ${peerId}`,
        `the ledgers of this site and of site ${peerId} differ in ${differences} ${differences === 1 ? 'place' : 'places'}: ` +
          '"consilium audit reconcile" lists them; ask the people there what happened, and compare again'
      )
    }
    return {}
  }))
}
