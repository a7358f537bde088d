import type { ChannelFacts, ShownPlane } from './channels/facts.ts'
import type { LabelMap } from './labels/label-map.ts'
import type { LabelFacts } from './labels/label-use.ts'
import type { Modality, Window } from './transforms/normalise.ts'

/** Anatomical axis along which a volume is cut into slices. */
export type Axis = 'axial' | 'coronal' | 'sagittal'

/** What is known of an image, the strongest first; `none`: nothing. */
export type LabelKind = 'mask' | 'block' | 'scribble' | 'points' | 'box' | 'none'

/** Points and boxes on a slice, in its pixels, whose edges are whole numbers; labels are codes (label-map.ts). */
export interface SliceMarks {
  readonly points: ReadonlyArray<readonly [x: number, y: number, code: number]>
  readonly boxes: ReadonlyArray<readonly [x0: number, y0: number, x1: number, y1: number, code: number]>
}

/** One 2-D image of square pixels with its label mask; ids and subjects are local and never logged or sent. */
export interface Slice {
  /** file stem, or `stem#042` for slice 42 of a volume */
  readonly id: string
  readonly subject: string
  /** position within the subject: neighbours resemble each other */
  readonly index: number
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  /** height·width·channels, row-major, 0..255, already normalised */
  readonly image: Uint8Array
  /** the image scaled to the sides that were asked for, where it is kept at these alone and `image` is empty */
  readonly scaled?: ReadonlyMap<number, Uint8Array>
  /** what is left of such an image to compare it by (names/alike.ts) */
  readonly look?: Float64Array
  /** height·width labels, 0 = background */
  readonly mask: Uint8Array
  /** what is known of it where that is no whole mask: `mask` is UNKNOWN but for scribbles and blocks */
  readonly kind?: Exclude<LabelKind, 'mask'>
  /** its site names it for validation */
  readonly held?: boolean
  /** points and boxes that are known beside them */
  readonly marks?: SliceMarks
  /** classes, from 0, that it shows; only where a federation names several */
  readonly shows?: readonly number[]
  /** classes, from 0, that its site does not annotate; none if not given */
  readonly lacks?: readonly number[] | undefined
  /** whether its mask is a correction that was saved at the site, and not of the data folder */
  readonly corrected?: boolean
  /** the voxels of the volume that it was cut from: one object for all slices of a volume, none for pictures */
  readonly voxels?: VoxelGrid
}

/** How a volume's voxels lie in its slices, before these were resampled to square pixels. */
export interface VoxelGrid {
  readonly axis: Axis
  /** rows and columns of a slice */
  readonly height: number
  readonly width: number
  /** mm between slices, rows and columns */
  readonly spacing: readonly [number, number, number]
}

/**
 * A slice scaled so that its longer side is `side` (antialiased when shrinking); its content lies at the top left of a
 * side×side canvas (docs/spec/sam.md#geometry), so a pixel (x, y) of the original is (x·fittedWidth/width, y·fittedHeight/height) there.
 */
export interface Fitted {
  readonly id: string
  /** whose it is; local, never logged or sent */
  readonly subject?: string
  /** pixels of the original slice */
  readonly height: number
  readonly width: number
  readonly side: number
  readonly fittedHeight: number
  readonly fittedWidth: number
  readonly channels: 1 | 3
  /** fittedHeight·fittedWidth·channels, row-major, 0..255 */
  readonly image: Uint8Array
  /** fittedHeight·fittedWidth labels, 0 = background */
  readonly mask: Uint8Array
  /** by label but background, its part of each pixel's area in 255ths, where training wants that instead of the nearest label */
  readonly shares?: ReadonlyMap<number, Uint8Array>
  /** what is known of it where that is no whole mask: `mask` is UNKNOWN where nothing is */
  readonly kind?: Exclude<LabelKind, 'mask'>
  /** fittedHeight·fittedWidth codes of scribbles, blocks and points, UNKNOWN elsewhere; none if not given */
  readonly marks?: Uint8Array
  /** points and boxes that its site gave, in pixels of the canvas, whose edges are whole numbers; none if not given */
  readonly given?: SliceMarks
  /** what a method made up for each class, from 0; nothing if not given */
  readonly pseudo?: readonly PseudoPlanes[]
  /** classes, from 0, that its site does not annotate; none if not given */
  readonly lacks?: readonly number[] | undefined
  /** whether its mask is a correction that was saved at the site */
  readonly corrected?: boolean
}

/** Probabilities of a class and how far they are believed, in 255ths, fittedHeight·fittedWidth each (docs/spec/weak.md#pseudo-masks). */
interface PseudoPlanes {
  readonly shares: Uint8Array
  readonly certainty: Uint8Array
}

/** A fitted slice that can be scored: `truth` holds height·width labels at the original size. */
export type Scored = Fitted & { readonly truth: Uint8Array }

/** A file that was skipped; the reason holds no file name, so that it may be logged. */
export interface Problem {
  readonly file: string
  readonly reason: string
  /** how many files it stands for, 1 if not given */
  readonly files?: number
}

/** What DICOM files a data folder holds. */
export interface DicomFacts {
  /** frames of several in one file count each */
  readonly images: number
  readonly series: number
  readonly patients: number
  readonly segmentations: number
  /** series by modality: CT, MR, … */
  readonly modalities: Readonly<Record<string, number>>
}

/** How a volume was cut: what its header said. */
export interface VolumeFacts {
  readonly axis: Axis
  /** number of slices along the axis, with or without foreground */
  readonly slices: number
  /** mm, in the slice: rows and columns, then between slices */
  readonly spacing: readonly [number, number, number]
  /** degrees between the axis and the slices actually cut (nearest axes are used) */
  readonly obliqueDegrees: number
}

export interface Dataset extends LabelFacts {
  /** images/ and masks/, nnU-Net, a folder for each patient, masks beside their images, or DICOM series alone */
  readonly layout: 'folders' | 'nnunet' | 'patients' | 'beside' | 'dicom'
  readonly slices: readonly Slice[]
  readonly problems: readonly Problem[]
  readonly subjects: number
  readonly volumes: readonly VolumeFacts[]
  /** slices of volumes left out because their mask is empty */
  readonly emptySlices: number
  /** further channels, in files of their own (nnU-Net `_0001`…) or in a fourth dimension, which are not read */
  readonly ignoredChannels: number
  readonly channels: ChannelFacts
  /** what had to be decided on reading, each in a sentence without a name, with the number of pairs */
  readonly notes: Readonly<Record<string, number>>
  /** how each image that was read is shown, or each of its channels */
  readonly shown: readonly ShownPlane[]
  /** what its volumes and 16-bit pictures are, all of them; undefined where they are mixed or none */
  readonly modality: 'ct' | 'other' | undefined
  /** the same for each of the channels asked for */
  readonly modalities?: ReadonlyArray<'ct' | 'other' | undefined>
  /** how many images have their subject by the site's own list, by their folder, or by their name */
  readonly subjectsBy: Readonly<Record<'site' | 'folder' | 'name', number>>
  /** pairs whose names are not the same: a suffix, another folder */
  readonly byLikeName: number
  /** volumes whose qform and sform disagree: their masks go by voxels */
  readonly twoPlaces: number
  /** the DICOM files, where there are any */
  readonly dicom?: DicomFacts | undefined
}

/** `auto` is the plane in which the volume was acquired: across its coarsest voxel axis, or axial where voxels are about cubes. */
export type AxisChoice = Axis | 'auto'

export interface ReadOptions {
  /** what a federation's masks mean; everything above 0 is one class if not given */
  labels?: LabelMap | undefined
  /** plane in which volumes are cut, default auto; pictures have none */
  axis?: AxisChoice
  /** how volumes and 16-bit pictures are shown, where the federation says it; else by what states or proves that they are CT */
  window?: Window
  /** which channel fills plane 1, 2 and 3, the last of fewer those that are left; channel 0, or a picture's colours, if not given */
  channels?: readonly number[]
  /** a window for each of `channels`, instead of one; undefined is what `window` is where it is not given */
  windows?: ReadonlyArray<Window | undefined>
  /** what the site's model was trained with: its word goes above what a data set says of itself */
  modality?: Modality
  /** the same for each of `channels`, undefined where training did not find one */
  modalities?: ReadonlyArray<Modality | undefined>
  /** the home's own key, by which patients of DICOM files are hashed; a key of the process if not given */
  patientKey?: () => Promise<Uint8Array>
  /** as before documents said a window: CT by any values below −500, subjects by the rule of then */
  asBefore?: boolean
}

export interface LoadOptions extends ReadOptions {
  /** files of labels, in the federation's values, that stand above the folder's, by the stem of their image */
  corrected?: ReadonlyMap<string, string>
  /** whose images are left out, as if they were not there; nobody's if not given */
  withdrawn?: (subject: string) => boolean
  /** the site has no labels: images are listed whatever lies beside them, and no masks */
  withoutLabels?: boolean
  /** what may be known of an image; whole masks alone if not given */
  kinds?: readonly LabelKind[] | undefined
  /** keeps slices, pictures and volumes without foreground: all count in scores */
  empty?: boolean
  /** sides to which large images are scaled as they are read, to be kept so alone; without it they are kept whole */
  sides?: readonly number[]
  signal?: AbortSignal
  onProgress?: (done: number, total: number) => void
}
