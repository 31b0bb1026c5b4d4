// A small bolt app in Slack's other language. It walks the path command, modal, message, button,
// so that the stub is judged by a client that shares no code with ours.
import bolt from "@slack/bolt";

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const plain = (text) => ({ type: "plain_text", text });

app.command("/stranger", async ({ ack, body, client }) => {
  await ack();
  await client.views.open({
    trigger_id: body.trigger_id,
    view: {
      type: "modal",
      callback_id: "stranger",
      private_metadata: body.channel_id,
      title: plain("Stranger"),
      submit: plain("Send"),
      blocks: [
        {
          type: "input",
          block_id: "what",
          label: plain("What"),
          element: { type: "plain_text_input", action_id: "text" },
        },
      ],
    },
  });
});

app.view("stranger", async ({ ack, view, client }) => {
  const what = view.state.values.what.text.value;
  if (what === "wrong") {
    await ack({ response_action: "errors", errors: { what: "not that" } });
    return;
  }
  await ack();
  await client.chat.postMessage({
    channel: view.private_metadata,
    text: `heard: ${what}`,
    metadata: { event_type: "heard", event_payload: { what } },
    blocks: [
      { type: "section", text: { type: "mrkdwn", text: `heard: *${what}*` } },
      {
        type: "actions",
        elements: [{ type: "button", action_id: "done", text: plain("Done"), value: what }],
      },
    ],
  });
});

app.action("done", async ({ ack, body, action, client, respond }) => {
  await ack();
  await client.chat.update({
    channel: body.channel.id,
    ts: body.message.ts,
    text: `done: ${action.value}`,
    blocks: [],
  });
  await respond({ text: "thank you", response_type: "ephemeral", replace_original: false });
});

app.event("app_mention", async ({ event, say }) => {
  await say({ text: `you said ${event.text}`, thread_ts: event.ts });
});

await app.start();
console.log("ready");
