export { PublicHost, type PublicOptions, type SizedFile } from "./get-public.ts";
export {
  type DownloadedFiles,
  type DownloadOptions,
  downloadConfig,
  downloadDataset,
  downloadFrom,
  downloadModel,
  downloadTokenizer,
  isAddress,
} from "./hub.ts";
export { isHubName } from "./hub-name.ts";
export { notToBeHad, type PublicChoice, type PublicFile, type PublicInput, publicInputs } from "./public-inputs.ts";
