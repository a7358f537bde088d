import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { InputError } from '../errors.ts'
import type { Segmented } from '../site-model/predict/predictor.ts'
import type { Image } from '../site-model/predict/prompt.ts'
import type { Listed } from './catalogue.ts'
import { labelsOf, MODELS } from './describe-model.ts'
import { inferParams, slicePrompt, type InferParams, type SlicePrompt } from './infer-request.ts'
import { labelFile, labelVoxels } from './label-file.ts'
import { formOf, readForm } from './multipart.ts'
import { listedOr404, Refused } from './refused.ts'
import type { ServedSite } from './site.ts'

interface InferQuery { readonly image?: string, readonly session_id?: string, readonly output?: string }

const BUSY = 'too many images wait to be segmented: try again in a while'

/** Segments an image that the data folder has. */
export function inferRoutes (app: FastifyInstance, site: ServedSite): void {
  app.post<{ Params: { model: string }, Querystring: InferQuery }>('/infer/:model', async (request, reply) => {
    const { params: { model }, query: { image, output, session_id: session } } = request
    if (!MODELS.some((each) => each === model)) throw new Refused(404, `there is no model ${model}: /info/ names them`)
    const form = await readForm(request)
    if (form.file?.field === 'file' || (session != null && session !== '')) {
      throw new Refused(406, 'images are not taken here: put them into the data folder, and ask by the id that /datastore/ gives them')
    }
    const params = paramsOf(form.params)
    const listed = await listedOr404(site.catalogue, image)
    const begun = performance.now()
    const signal = AbortSignal.any([untilGone(reply), site.stopping])
    const done = site.queue.run(async () => {
      const opened = await site.images.image(listed)
      const prompted = model === 'prompts' ? slicePrompt(opened, params) : undefined
      return await answerOf(site, { listed, opened, prompted, params, output, signal, begun }, reply)
    })
    if (done == null) throw new Refused(503, BUSY)
    return await done
  })
}

function paramsOf (given: unknown): InferParams {
  const { data, error } = inferParams.safeParse(given)
  if (data != null) return data
  const { path, message } = error.issues[0]!
  throw new InputError(`params.${path.join('.')} cannot be used: ${message}`)
}

/** Ends the work of a client that went away. */
function untilGone ({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController()
  raw.once('close', () => { controller.abort(new InputError('the client went away')) })
  return controller.signal
}

interface Inference {
  readonly listed: Listed
  readonly opened: Image
  readonly prompted: SlicePrompt | undefined
  readonly params: InferParams
  readonly output: string | undefined
  readonly signal: AbortSignal
  readonly begun: number
}

async function answerOf (site: ServedSite, inference: Inference, reply: FastifyReply): Promise<FastifyReply> {
  const { listed, opened, prompted, params, output, signal, begun } = inference
  const { predictor } = site.images
  const isVolume = opened.kind === 'volume'
  const segmented = await predictor.segmentOpened(opened, {
    image: 'the image',
    signal,
    ...prompted == null ? {} : { prompt: prompted.prompt },
    ...prompted == null || !isVolume ? {} : { slices: [prompted.slice, prompted.slice] }
  })
  if (output === 'dicom_seg') return await reply.type('application/dicom').send(await segOf(site, listed, segmented, prompted))
  const names = labelsOf(predictor.labels)
  const own = prompted == null ? undefined : ownValues(params.label, names)
  const voxels = labelVoxels(opened, segmented.maps[0]!.masks)
  const shown = own == null ? voxels : voxels.map((value) => own(value) ? 1 : 0)
  const file = await labelFile(opened, shown, params.result_extension, params.result_dtype)
  const name = listed.id + file.ending
  const latencies = { total: Math.round(performance.now() - begun) / 1000 }
  const said = { label_names: prompted == null ? names : { [params.label ?? Object.keys(names)[0]!]: 1 }, latencies }
  if (output === 'json') return await reply.send(said)
  if (output === 'image') {
    return await reply.type(file.type).header('content-disposition', `attachment; filename="${name}"`).send(file.bytes)
  }
  const form = formOf(said, { name, file })
  return await reply.type(form.type).send(form.body)
}

/** A prompt asks for one structure: of several classes, for the one that it names. */
function ownValues (label: string | null | undefined, names: Readonly<Record<string, number>>): (value: number) => boolean {
  const wanted = label == null ? undefined : names[label]
  return wanted == null ? (value) => value > 0 : (value) => value === wanted
}

async function segOf ({ images }: ServedSite, { image }: Listed, segmented: Segmented, prompted: SlicePrompt | undefined): Promise<Buffer> {
  if (!('stack' in image)) throw new InputError('a DICOM SEG needs a DICOM series, and this image is none: ask for output=image')
  const folder = await mkdtemp(join(tmpdir(), 'consilium-seg-'))
  try {
    const file = join(folder, 'seg.dcm')
    await images.predictor.writeSeg(file, segmented, image.stack, prompted?.prompt)
    return await readFile(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
