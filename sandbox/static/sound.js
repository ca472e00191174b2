// Ring tone, chime, key tones and speech. Browsers allow none of it before the first gesture.

const RING_PERIOD_S = 3;
const RING_NOTES = [659.3, 784, 987.8, 1318.5, 987.8, 1318.5]; // E5 G5 B5 E6 B5 E6
const DTMF_ROWS = [697, 770, 852, 941];
const DTMF_COLUMNS = [1209, 1336, 1477];
const KEYS = "123456789*0#";

let audio = null;
let muted = false;
let ringTimer = null;

/** Whether sound is heard now: a gesture was made and the user did not mute. */
export const isHeard = () => audio?.state === "running" && !muted;
export const canSpeak = () => "speechSynthesis" in window && "SpeechSynthesisUtterance" in window;

/** Call in a gesture's handler: from here on the browser lets us sound. */
export async function unlock() {
  const Context = window.AudioContext ?? window.webkitAudioContext;
  if (Context === undefined) return;
  audio ??= new Context();
  if (audio.state !== "running") await audio.resume();
}

export async function setMuted(wanted) {
  muted = wanted;
  if (muted) hush();
  else await unlock();
}

function note(frequency, at, length_s, volume, type = "sine") {
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.type = type;
  oscillator.frequency.value = frequency;
  // A short ramp at both ends keeps the tone from clicking.
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(volume, at + 0.012);
  gain.gain.setValueAtTime(volume, at + length_s * 0.5);
  gain.gain.exponentialRampToValueAtTime(0.0001, at + length_s);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(at);
  oscillator.stop(at + length_s + 0.05);
}

function ringOnce() {
  if (!isHeard()) return;
  const start = audio.currentTime + 0.02;
  for (const again of [0, 0.95]) {
    RING_NOTES.forEach((frequency, i) => {
      note(frequency, start + again + i * 0.13, 0.34, 0.11, "triangle");
      note(frequency * 2, start + again + i * 0.13, 0.16, 0.025);
    });
  }
}

/** Ring until told otherwise. Safe to call again and again. */
export function ring(wanted) {
  if (wanted && isHeard() && ringTimer === null) {
    ringOnce();
    ringTimer = setInterval(ringOnce, RING_PERIOD_S * 1000);
  } else if (!(wanted && isHeard()) && ringTimer !== null) {
    clearInterval(ringTimer);
    ringTimer = null;
  }
}

/** Two soft notes: something came that waits. */
export function chime() {
  if (!isHeard()) return;
  const start = audio.currentTime + 0.02;
  note(1046.5, start, 0.22, 0.05); // C6
  note(1568, start + 0.12, 0.4, 0.05); // G6
}

/** The two tones of a key on a telephone. */
export function keyTone(key) {
  const place = KEYS.indexOf(key);
  if (!isHeard() || place < 0) return;
  const at = audio.currentTime;
  note(DTMF_ROWS[Math.floor(place / 3)], at, 0.17, 0.09);
  note(DTMF_COLUMNS[place % 3], at, 0.17, 0.09);
}

// --- speech -------------------------------------------------------------------------------------

let speaking = null; // {id, at} of what is being said; `at` is the character reached, or null

/** The language in which `text` is said: an English voice cannot read Chinese. */
export const languageOf = (text) => (/[\u3400-\u9fff]/.test(text) ? "zh-CN" : "en-US");

function voiceFor(tag) {
  const voices = speechSynthesis.getVoices();
  const plain = (voice) => voice.lang.replace("_", "-").toLowerCase();
  return (
    voices.find((voice) => plain(voice) === tag.toLowerCase()) ??
    voices.find((voice) => plain(voice).startsWith(tag.slice(0, 2)))
  );
}

// Some engines fall silent after fifteen seconds of one utterance: each sentence is its own.
function sentences(text, from) {
  const found = [];
  for (const match of text.matchAll(/.+?(?:[\u3002\uff01\uff1f\uff1b!?;\n]+|\.(?=\s)|$)/gs)) {
    const end = match.index + match[0].length;
    if (end <= from) continue;
    const start = Math.max(from, match.index);
    found.push({ start, words: text.slice(start, end) });
  }
  return found;
}

/** Say `text` from character `from` on. Whatever was being said stops. `rate`: 1 is normal. */
export function say(id, text, { from = 0, rate = 1 } = {}) {
  hush();
  if (!canSpeak() || !isHeard()) return;
  const current = { id, at: null };
  speaking = current;
  const tag = languageOf(text);
  const parts = sentences(text, from);
  parts.forEach(({ start, words }, i) => {
    const utterance = new SpeechSynthesisUtterance(words);
    utterance.lang = tag;
    utterance.voice = voiceFor(tag) ?? null;
    utterance.rate = rate;
    utterance.onboundary = (event) => {
      current.at = start + event.charIndex + (event.charLength ?? 0);
    };
    if (i === parts.length - 1) {
      utterance.onend = () => {
        current.at = null;
      };
    }
    speechSynthesis.speak(utterance);
  });
}

export function hush() {
  speaking = null;
  if (canSpeak()) speechSynthesis.cancel();
}

/** Whether text `id` is being said at this moment. */
export const isSaying = (id) => speaking?.id === id && speechSynthesis.speaking;

/** The character that the voice has reached in text `id`, or null where the engine does not say. */
export const spokenTo = (id) => (speaking?.id === id ? speaking.at : null);
