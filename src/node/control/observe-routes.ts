import type { FastifyInstance } from 'fastify'
import type { Health } from './health.ts'

/** What a monitoring program may ask, and nothing else. */
export const OBSERVED = ['/metrics', '/healthz'] as const

export interface Observing {
  readonly metrics: () => Promise<{ readonly contentType: string, readonly page: string }>
  readonly health: () => Health
}

/** 503 where the site is not well. */
export function observeRoutes (app: FastifyInstance, { metrics, health }: Observing): void {
  app.get('/metrics', async (_request, reply) => {
    const { contentType, page } = await metrics()
    return await reply.type(contentType).send(page)
  })
  app.get('/healthz', async (_request, reply) => {
    const answer = health()
    return await reply.code(answer.ok ? 200 : 503).send(answer)
  })
}
