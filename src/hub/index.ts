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
