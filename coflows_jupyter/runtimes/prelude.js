// What JavaScript of a Workflow finds in its context beside the language, and what Python calls there: __coflows.
(() => {
  "use strict";

  const functions = []; // that Python calls, by number
  const calls = new Map(); // of Python's that go on, each with its outcome once there is one
  const waiting = new Map(); // what JavaScript asked Python and has no answer to
  const agents = [];
  let asked = [];
  let said = [];
  let number = 0;

  // The JSON form of what JSON.stringify has none for, as in Python.
  const plain = (key, value) => {
    if (typeof value === "bigint") {
      return JSON.rawJSON(String(value));
    }
    if (value instanceof Map) {
      return Object.fromEntries(value);
    }
    if (value instanceof Error) {
      return { name: value.name, message: value.message };
    }
    if (value !== null && typeof value === "object" && !Array.isArray(value) && Symbol.iterator in value) {
      return Array.from(value);
    }
    return value;
  };
  const json = (value) => JSON.stringify(value, plain) ?? "null";
  const text = (value) => {
    if (typeof value === "string") {
      return value;
    }
    return value instanceof Error ? `${value}\n${value.stack}` : (JSON.stringify(value, plain) ?? String(value));
  };
  const print =
    (stream) =>
    (...values) => {
      said.push([stream, `${values.map(text).join(" ")}\n`]);
    };

  // Python answers between two pieces of JavaScript, so what is asked is a promise; only a context without a limit of
  // time, that of a source for the original, can wait for it.
  const ask = (what, ...args) =>
    new Promise((resolve, reject) => {
      number += 1;
      waiting.set(number, { resolve, reject });
      asked.push([number, what, args]);
    });
  const askNow = (what, ...args) => {
    const [failed, answer] = JSON.parse(globalThis.__ask(what, json(args)));
    if (failed) {
      throw new Error(answer);
    }
    return answer;
  };

  const failure = (error) => {
    const said = error instanceof Error ? String(error) : text(error);
    return json([said, String((error && error.stack) || "")]);
  };
  // An outcome is a digit and JSON: 0 not yet, 1 a value, 2 what was thrown, 3 why the value has no JSON form.
  const outcome = (value) => {
    try {
      return `1${json(value)}`;
    } catch (error) {
      return `3${json(String(error))}`;
    }
  };
  const call = (id, place, args) => {
    let value;
    try {
      value = functions[place](...JSON.parse(args).map(([arg]) => arg)); // of none, it is undefined
      if (value === null || typeof value !== "object" || typeof value.then !== "function") {
        return outcome(value);
      }
    } catch (error) {
      return `2${failure(error)}`;
    }
    calls.set(id, "0");
    const end = (result) => calls.has(id) && calls.set(id, result);
    value.then(
      (found) => end(outcome(found)),
      (error) => end(`2${failure(error)}`),
    );
    return "0";
  };
  const look = (id) => {
    const found = calls.get(id);
    if (found !== "0") {
      calls.delete(id);
    }
    return found;
  };
  // What was asked and what was printed since the last time.
  const take = () => {
    const taken = json([asked, said]);
    asked = [];
    said = [];
    return taken;
  };
  const settle = (id, failed, answer) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (failed) {
      reject(new Error(answer));
    } else {
      resolve(JSON.parse(answer));
    }
  };

  const drop = (id, forgotten) => {
    calls.delete(id);
    JSON.parse(forgotten).forEach((ask) => waiting.delete(ask));
  };

  const place = (value) => functions.push(value) - 1;
  const survey = (found) =>
    json(
      Object.entries(found).map(([name, value]) =>
        typeof value === "function"
          ? [name, place(value), Function.prototype.toString.call(value)]
          : [name, place(() => globalThis[name]), null],
      ),
    );

  const moment = (time) => new Date(/[zZ]|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`);
  const parsed = (data) => {
    try {
      return JSON.parse(data);
    } catch {
      return data;
    }
  };
  const offered = {
    job: (f) => (time, kind) => f(moment(time), kind),
    body: (f) => (data) => f(parsed(data)),
    load: (f) => f,
    add: (f) => f,
    exchange: (f) => f,
    remove: (f) => f,
  };
  const agent = (about) => {
    const made = { ...about };
    for (const [key, offer] of Object.entries(offered)) {
      if (typeof made[key] === "function") {
        made[key] = place(offer(made[key]));
      }
    }
    agents.push(made);
  };
  const declared = (value) => {
    const made = typeof value === "function" ? value() : value;
    if (made instanceof FPKG) {
      agent(made.about());
    } else if (made !== null && typeof made === "object") {
      agent(made);
    }
    return json(agents);
  };

  // ---- the original's names

  const named = {};
  const setFunction = (name, f) => {
    named[name] = f;
    return name;
  };
  class FPKG {
    constructor(ID, WorkflowID, Name, Description, MID, Load, Add, Exchange, Remove, Body, ScheduleCommand, Job) {
      Object.assign(this, { ID, WorkflowID, Name, Description, MID, ScheduleCommand });
      Object.assign(this, { Load, Add, Exchange, Remove, Body, Job });
      this.functions = { ...named }; // a name that another Agent gives later is that one's
    }

    about() {
      const made = { id: this.ID, name: this.Name, description: this.Description, listens: this.MID };
      made.schedule = this.ScheduleCommand;
      for (const key of ["Load", "Add", "Exchange", "Remove", "Body", "Job"]) {
        if (this[key]) {
          if (typeof this.functions[this[key]] !== "function") {
            throw new TypeError(`FPKG ${this.Name}: ${key} is ${json(this[key])}, a name that jsWrapper gave to no function`);
          }
          made[key.toLowerCase()] = this.functions[this[key]];
        }
      }
      return made;
    }
  }
  const SET = ["Add", "AddID", "Exchange", "ExchangeID", "Remove", "RemoveID", "Delete", "KeyValues"];
  const setOf = (id, asking) => Object.fromEntries(SET.map((name) => [name, (...args) => asking(`M.${name}`, id, ...args)]));
  const namespaces = {
    "QuantApp.Engine": { FPKG, Utils: { SetFunction: setFunction } },
    "QuantApp.Kernel": {
      M: { Base: (id) => ({ ...setOf(id, askNow), Save() {} }) },
      User: {
        get ContextUser() {
          return askNow("User.GetContextUser");
        },
        GetContextUser: () => askNow("User.GetContextUser"),
        PermissionContext: (group) => askNow("User.PermissionContext", group),
      },
      AccessType: { Invited: -2, Denied: -1, View: 0, Read: 1, Write: 2 },
    },
    System: { Environment: { NewLine: "\n" }, Console: { WriteLine: print("stdout") } },
  };
  const wrapper = { Predicate: (f) => f };
  for (const name of ["Load", "Callback", "Body", "Job", "SetLoad", "SetCallback", "SetBody", "SetJob"]) {
    wrapper[name] = setFunction;
  }

  const own = {
    __coflows: { call, look, take, settle, survey, declared, drop },
    console: { log: print("stdout"), info: print("stdout"), warn: print("stderr"), error: print("stderr") },
    log: print("stdout"),
    agent,
    M: (id) => ({
      add: (value, key) => (key === undefined ? ask("M.Add", id, value) : ask("M.AddID", id, key, value)),
      exchange: (key, value) => ask("M.ExchangeID", id, key, value),
      remove: (key) => ask("M.RemoveID", id, key),
      entries: () => ask("M.KeyValues", id),
      values: async () => (await ask("M.KeyValues", id)).map(([, value]) => value),
    }),
    python: (name, ...args) => ask("python", name, args),
    secret: (name) => ask("secret", name),
    progress: (done, total = 0, what = "") => ask("progress", done, total, what),
    user: () => ask("User.GetContextUser"),
    permission: (group) => ask("User.PermissionContext", group),
    System: namespaces.System,
    jsWrapper: wrapper,
    importNamespace: (name) => {
      if (!(name in namespaces)) {
        throw new Error(`importNamespace(${json(name)}): JavaScript reaches ${Object.keys(namespaces).join(", ")} only`);
      }
      return namespaces[name];
    },
  };
  for (const [name, value] of Object.entries(own)) {
    Object.defineProperty(globalThis, name, { value, enumerable: false, writable: name !== "__coflows", configurable: true });
  }
})();
