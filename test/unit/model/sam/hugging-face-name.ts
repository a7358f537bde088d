/** Written out again here, so that a wrong rule in src does not agree with itself. */
export function huggingFaceName (name: string): string {
  const mlp = /^(mask_decoder\.(?:output_hypernetworks_mlps\.\d|iou_prediction_head))\.layers\.(\d)\.(.*)$/.exec(name)
  if (mlp != null) return `${mlp[1]}.${['proj_in', 'layers.0', 'proj_out'][Number(mlp[2])]}.${mlp[3]}`
  return [
    ['image_encoder.', 'vision_encoder.'],
    ['.patch_embed.proj.', '.patch_embed.projection.'],
    ['vision_encoder.blocks.', 'vision_encoder.layers.'],
    ['neck.0.', 'neck.conv1.'],
    ['neck.1.', 'neck.layer_norm1.'],
    ['neck.2.', 'neck.conv2.'],
    ['neck.3.', 'neck.layer_norm2.'],
    ['pe_layer.positional_encoding_gaussian_matrix', 'shared_embedding.positional_embedding'],
    ['point_embeddings', 'point_embed'],
    ['mask_downscaling.0', 'mask_embed.conv1'],
    ['mask_downscaling.1', 'mask_embed.layer_norm1'],
    ['mask_downscaling.3', 'mask_embed.conv2'],
    ['mask_downscaling.4', 'mask_embed.layer_norm2'],
    ['mask_downscaling.6', 'mask_embed.conv3'],
    ['.norm_final_attn', '.layer_norm_final_attn'],
    ['.norm1.', '.layer_norm1.'],
    ['.norm2.', '.layer_norm2.'],
    ['.norm3.', '.layer_norm3.'],
    ['.norm4.', '.layer_norm4.'],
    ['output_upscaling.0', 'upscale_conv1'],
    ['output_upscaling.1', 'upscale_layer_norm'],
    ['output_upscaling.3', 'upscale_conv2']
  ].reduce((result, [from, to]) => result.replace(from!, to!), name)
}
