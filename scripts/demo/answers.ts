/** What the two providers say to a question, in the order of the chain. One text: both would say the same. */
export const ANSWERS: ReadonlyMap<string, readonly [first: string, second: string]> = new Map([
  both(
    'What is a sally port?',
    'A sally port is a small, well guarded door in the wall of a fort. The garrison leaves through it and comes back the same way, so the main gate can stay shut.',
  ),
  both(
    'Why is the sky blue?',
    'Sunlight holds every colour. Air scatters the short waves, the blue ones, far more than the long red ones, so blue light reaches your eyes from all over the sky. At sunset the light has a longer way through the air: most of the blue is gone by then, and the red is left.',
  ),
  both(
    'How can a boat sail against the wind?',
    'It cannot go straight, so it goes in a zigzag. The sail works like a wing and pulls the boat sideways and a little forward; the keel resists the sideways part. What is left is forward, some forty-five degrees off the wind, first on one side and then on the other.',
  ),
  both(
    'Why does bread rise?',
    'Yeast eats the sugars in the dough and gives off carbon dioxide. Kneading has turned the protein of the flour into an elastic net, and the net holds the gas in thousands of small bubbles. The heat of the oven blows them up once more, and then it sets the crumb around them.',
  ),
  both(
    'How do bees tell each other where the flowers are?',
    'They dance. A bee that comes home runs in a figure of eight and shakes her body on the middle line. The angle of that line gives the direction from the sun, and the length of the shaking gives the distance.',
  ),
  [
    'How does one lamp shine so far from a lighthouse?',
    [
      'A lighthouse does not need a giant lamp. It needs a good lens: rings of glass around the lamp bend nearly all of its light into one flat beam, and a beam that does not spread stays bright for many miles out to sea.',
      'The secret is the lens. Augustin Fresnel cut a thick lens into rings and kept only their curved edges, which made it thin enough to build as tall as a man. It gathers the light that would go up and down and sends it to the horizon, some twenty miles away.',
    ],
  ],
  both(
    'Why do cats land on their feet?',
    'A falling cat bends in the middle and turns its front half first, with the front legs drawn in and the hind legs stretched out. Then it does the reverse for the hind half. Nothing pushes against anything outside, yet the cat has turned over, with its back arched to take the landing.',
  ),
  both(
    'Tell me a long story about the sea.',
    'In the year of the three storms there was a pilot who had never lost a ship. He knew each rock by the sound the water made on it, and on nights without a moon he steered by that sound alone. One evening a captain came to him who would not wait for the tide, and the pilot said that the sea is older than any cargo. The captain laughed and put twice the price on the table. So they went out, and the wind turned, and the rocks began to speak all at once.',
  ),
  both('How many legs has a spider?', 'Eight, in four pairs, all on the front part of its body.'),
  both('What makes the tide?', 'The moon pulls at the sea, and the sun helps a little.'),
])

function both(question: string, answer: string): [string, [string, string]] {
  return [question, [answer, answer]]
}
