// Two people talk, through types that are generated from the OpenAPI document.

import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Message = components["schemas"]["MessageOut"];

declare const process: { argv: string[] };

const [, , baseUrl = "", annName = "", bobName = ""] = process.argv;

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function register(username: string): Promise<Client<paths>> {
  const { data, error } = await createClient<paths>({ baseUrl }).POST("/api/v1/auth/register", {
    body: { username, password: "correct horse battery staple" },
  });
  check(data !== undefined, error?.code ?? "");
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${data.token}` } });
}

const ann = await register(annName);
const bob = await register(bobName);

const { data: hello } = await ann.POST("/api/v1/messages", {
  body: { receiver: bobName, content: "hello" },
  params: { header: { "Idempotency-Key": "hello" } },
});
check(hello !== undefined, "hello");

const { data: inbox } = await bob.GET("/api/v1/inbox", { params: { query: { limit: 1 } } });
const found: Message | undefined = inbox?.items[0];
check(found?.content === "hello" && found.sender?.username === annName, "inbox");

const { data: reply } = await bob.POST("/api/v1/conversations/{conversation_id}/messages", {
  params: { path: { conversation_id: found.conversation_id } },
  body: { content: "again", parent_message_id: found.id },
});
check(reply?.parent_message_id === hello.id, "reply");

const { data: thread } = await ann.GET("/api/v1/messages/{message_id}/thread", {
  params: { path: { message_id: hello.id } },
});
check(thread?.replies[0]?.content === "again", "thread");

const { error, response } = await bob.PATCH("/api/v1/messages/{message_id}", {
  params: { path: { message_id: hello.id } },
  body: { content: "mine now" },
});
check(response.status === 403 && error?.code === "not_sender", "refusal");

// What must not compile.
// @ts-expect-error there is no such path
void ann.GET("/api/v1/messages/all");
// @ts-expect-error a message has content
void (() => ann.POST("/api/v1/messages", { body: { receiver: bobName } }));
// @ts-expect-error a message has no contents
void hello.contents;
// @ts-expect-error a sender may be gone
void hello.sender.username;

console.log("done");
