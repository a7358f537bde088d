/**
 * Imported before onnxruntime-node: version 1.30 otherwise gathers usage statistics (a device id, the processor, names of graphs,
 * paths, counts) in ~/.cache/Microsoft and sends them to mobile.events.data.microsoft.com, from the very process that holds pixels.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1'
