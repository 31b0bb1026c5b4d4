// What the bot sends. Slack's types allow any block at all in a view; here only the known ones count.
import type { HomeView, KnownBlock, ModalView } from "@slack/types";

type Of<View> = Omit<View, "blocks"> & { blocks: KnownBlock[] };

export interface Sent {
  message: KnownBlock[];
  modal: Of<ModalView>;
  home: Of<HomeView>;
}
