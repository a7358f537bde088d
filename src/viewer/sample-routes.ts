import { randomInt } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { LRUCache } from 'lru-cache'
import { InputError } from '../errors.ts'
import type { Listed } from './catalogue.ts'
import { STRATEGIES, type Strategy } from './describe-model.ts'
import { imageInfo } from './datastore-routes.ts'
import { Refused } from './refused.ts'
import type { ServedSite } from './site.ts'

/** So many images are looked at before one is named: people wait. */
const LOOKED_AT = 8
const REMEMBERED = 4_096

/** Names the image that is to be labelled next. */
export function sampleRoutes (app: FastifyInstance, site: ServedSite): void {
  const doubts = new Doubts(site)
  app.post<{ Params: { strategy: string } }>('/activelearning/:strategy', async ({ params: { strategy } }) => {
    const known = STRATEGIES.find((each) => each === strategy)
    if (known == null) throw new Refused(404, `there is no strategy ${strategy}: it must be one of ${STRATEGIES.join(', ')}`)
    const open = await unlabelled(site)
    if (open.length === 0) return {}
    const done = site.queue.run(async () => await choose(site, open, known, doubts))
    if (done == null) throw new Refused(503, 'too many images wait: ask again in a while')
    const chosen = await done
    return { id: chosen.id, ...imageInfo(chosen) }
  })
}

async function unlabelled ({ data, catalogue, corrections }: ServedSite): Promise<Listed[]> {
  const saved = await corrections.inForce(data)
  return (await catalogue.all()).filter(({ image: { stem }, isLabelled }) => !isLabelled && !saved.has(stem))
}

async function choose (site: ServedSite, open: readonly Listed[], strategy: Strategy, doubts: Doubts): Promise<Listed> {
  await site.images.renew()
  if (strategy === 'first') return open[0]!
  if (strategy === 'random') return open[randomInt(open.length)]!
  return await doubts.most(open)
}

/** How unsure the model is of images; another model begins anew. */
class Doubts {
  readonly #site: ServedSite
  readonly #known = new LRUCache<string, number>({ max: REMEMBERED })
  #model: object | undefined

  constructor (site: ServedSite) {
    this.#site = site
  }

  async most (open: readonly Listed[]): Promise<Listed> {
    const { predictor } = this.#site.images
    if (this.#model !== predictor) this.#known.clear()
    this.#model = predictor
    const doubt = ({ id }: Listed): number => this.#known.get(id) ?? -1
    for (const listed of open.filter((each) => doubt(each) < 0).slice(0, LOOKED_AT)) {
      this.#known.set(listed.id, await doubtOf(this.#site, listed))
    }
    return open.reduce((most, each) => doubt(each) > doubt(most) ? each : most)
  }
}

/** Mean entropy in bits of the model's word about the middle slice; 0 for an image that cannot be read. */
async function doubtOf ({ images }: ServedSite, listed: Listed): Promise<number> {
  try {
    const image = await images.image(listed)
    const middle = Math.floor(image.slices.length / 2)
    const range = image.kind === 'volume' ? { slices: [middle, middle] as const } : {}
    const { maps } = await images.predictor.segmentOpened(image, { image: 'the image', ...range })
    const logits = maps[0]!.logits[middle]!
    return logits.reduce((sum, logit) => sum + entropy(logit), 0) / logits.length
  } catch (error) {
    if (error instanceof InputError) return 0
    throw error
  }
}

function entropy (logit: number): number {
  const share = 1 / (1 + Math.exp(Math.abs(logit)))
  return share < 1e-9 ? 0 : -share * Math.log2(share) - (1 - share) * Math.log2(1 - share)
}
