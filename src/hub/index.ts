export { type DownloadOptions, downloadConfig, downloadModel, downloadTokenizer } from "./hub.ts";
export { isHubName } from "./hub-name.ts";
