import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { readSeriesNrrd, readVolumeNrrd } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import type { Listed } from './catalogue.ts'
import { labelFile } from './label-file.ts'
import { readForm } from './multipart.ts'
import { listedOr404, Refused } from './refused.ts'
import { labelParams, readSavedLabel } from './saved-label.ts'
import type { ServedSite } from './site.ts'

interface Objects {
  readonly objects: Readonly<Record<string, object>>
  readonly stats: { readonly total: number, readonly completed: number, readonly label_tags: Readonly<Record<string, number>> }
}

/** Tag of labels that a person saved; those of the data folder have none here, since their values are the hospital's own. */
const FINAL = 'final'
const PUT_THERE = 'the data folder is the hospital\'s own and is not written to: put images there'
const UNDO = '"consilium corrections undo ID" takes a label back'

/** Images of the data folder, and the labels that were saved. */
export function datastoreRoutes (app: FastifyInstance, site: ServedSite): void {
  app.get<{ Querystring: { output?: string } }>('/datastore', async ({ query: { output } }) => {
    const { objects, stats } = await describeDatastore(site)
    if (output === 'train') return []
    return output === 'all' ? { name: 'Consilium', description: '', images_dir: '.', labels_dir: '.', objects } : stats
  })
  for (const method of ['GET', 'HEAD'] as const) {
    app.route<{ Querystring: { image?: string } }>({
      method,
      url: '/datastore/image',
      handler: async ({ query: { image } }, reply) => await sendImage(site, await listedOr404(site.catalogue, image), reply)
    })
    app.route<{ Querystring: { label?: string, image?: string, tag?: string } }>({
      method,
      url: '/datastore/label',
      handler: async ({ query: { label, image, tag } }, reply) => await sendLabel(site, label ?? image, tag, reply)
    })
  }
  app.get<{ Querystring: { image?: string } }>('/datastore/image/info', async ({ query: { image } }) =>
    imageInfo(await listedOr404(site.catalogue, image)))
  app.get<{ Querystring: { label?: string } }>('/datastore/label/info', async ({ query: { label } }) => {
    const { at, author } = await correctionOr404(site, await listedOr404(site.catalogue, label))
    return { ts: Math.floor(Date.parse(at) / 1000), author }
  })
  app.put<{ Querystring: { image?: string } }>('/datastore/label', async (request) => {
    const listed = await listedOr404(site.catalogue, request.query.image)
    return await saveLabel(site, listed, await readForm(request))
  })
  for (const url of ['/datastore', '/datastore/image']) {
    app.route({ method: ['PUT', 'DELETE'], url, handler: () => { throw new Refused(405, PUT_THERE) } })
  }
  app.delete('/datastore/label', () => { throw new Refused(405, UNDO) })
}

/** Counts, and every image with the labels that were saved for it. @throws InputError when the data folder cannot be read */
export async function describeDatastore ({ data, catalogue, corrections }: ServedSite): Promise<Objects> {
  const [images, saved] = [await catalogue.all(), await corrections.inForce(data)]
  const objects = images.map((listed): [string, object] => {
    const own = saved.get(listed.image.stem)
    const info = own == null ? undefined : { ts: Math.floor(Date.parse(own.at) / 1000), author: own.author }
    return [listed.id, {
      image: { ext: endingOf(listed), info: imageInfo(listed) },
      labels: own == null ? {} : { [FINAL]: { ext: own.ending, info } }
    }]
  })
  const corrected = images.filter(({ image: { stem } }) => saved.has(stem)).length
  const labelled = images.filter(({ image: { stem }, isLabelled }) => isLabelled || saved.has(stem)).length
  const stats = { total: images.length, completed: labelled, label_tags: corrected === 0 ? {} : { [FINAL]: corrected } }
  return { objects: Object.fromEntries(objects), stats }
}

/** What a viewer needs to fetch an image; names of files are hashes. */
export function imageInfo (listed: Listed): { readonly name: string } {
  return { name: listed.id + endingOf(listed) }
}

/** A series is sent as one volume. */
function endingOf ({ image }: Listed): string {
  return isSentAsNrrd(image) ? '.nrrd' : /(\.nii\.gz|\.[^.]*)$/i.exec(image.image)![0].toLowerCase()
}

/** A series, or a header whose voxels lie in a file of their own. */
function isSentAsNrrd (image: Listed['image']): boolean {
  return 'stack' in image || /\.(mhd|nhdr|hdr|hdr\.gz)$/i.test(image.image)
}

async function sendImage ({ data, queue }: ServedSite, listed: Listed, reply: FastifyReply): Promise<FastifyReply> {
  const { image } = listed
  reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${imageInfo(listed).name}"`)
  const file = join(data, image.image)
  if (!isSentAsNrrd(image)) return await reply.send(createReadStream(file))
  const bytes = queue.run(async () => 'stack' in image ? await readSeriesNrrd(image.stack) : await readVolumeNrrd(file))
  if (bytes == null) throw new Refused(503, 'too many images wait to be read: try again in a while')
  return await reply.send(await bytes)
}

async function sendLabel (site: ServedSite, id: string | undefined, tag: string | undefined, reply: FastifyReply): Promise<FastifyReply> {
  const listed = await listedOr404(site.catalogue, id)
  if (tag != null && tag !== '' && tag !== FINAL) throw new Refused(404, `there is no label of the tag ${tag}: saved ones are ${FINAL}`)
  const saved = await correctionOr404(site, listed)
  reply.type('application/octet-stream').header('content-disposition', `attachment; filename="${listed.id}${saved.ending}"`)
  return await reply.send(await readFile(site.corrections.fileOf(saved)))
}

async function correctionOr404 (
  { data, corrections }: ServedSite,
  { image: { stem } }: Listed
): Promise<Awaited<ReturnType<ServedSite['corrections']['save']>>> {
  const saved = (await corrections.inForce(data)).get(stem)
  if (saved == null) throw new Refused(404, 'no label was saved for this image')
  return saved
}

async function saveLabel (
  { data, catalogue, corrections, images, queue }: ServedSite,
  listed: Listed,
  { params, file }: Awaited<ReturnType<typeof readForm>>
): Promise<{ readonly image: string, readonly label: string, readonly correction: string }> {
  if (file == null) throw new InputError('there is no label in the request: send it as the part "label"')
  const { label_info: info, client_id: client } = labelParams.parse(params)
  const done = queue.run(async () => {
    const image = await images.image(listed)
    const voxels = await readSavedLabel(file, image, { info, labels: images.predictor.labels })
    const { ending, bytes } = await labelFile(image, voxels, image.kind === 'volume' ? '.nii.gz' : '.png')
    return await corrections.save({
      labels: bytes,
      data,
      stem: listed.image.stem,
      image: listed.id,
      author: catalogue.authorOf(client ?? ''),
      ending: ending as '.nii.gz' | '.png'
    }, new Date())
  })
  if (done == null) throw new Refused(503, 'too many images wait: save again in a while')
  const { id } = await done
  return { image: listed.id, label: listed.id, correction: id }
}
