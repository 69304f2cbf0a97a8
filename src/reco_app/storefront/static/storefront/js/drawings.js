// What stands in for a photograph: a drawing chosen by the words of the category, tinted by it.

import { element, sprite } from "./dom.js";

// The first rule that fits the narrowest category wins, so special words stand before general ones.
const RULES = [
  ["magazine", /magazine/],
  ["baby", /\b(baby|babies|infants?|diapers?|toddlers?)\b/],
  ["paw", /\b(pets?|(?<!hot )dogs?|cats?|dogfd|catfd|birds? ?seed|puppy|kitten|litter|aquatic)\b/],
  ["ice-cream", /ice cream|sherbet|sorbet|novelties|frozen yogurt|popsicle/],
  ["pizza", /pizza/],
  ["coffee", /coffee|espresso|latte|cappuccino|cocoa/],
  ["tea", /\bteas?\b/],
  ["juice", /juice|lemonade|nectar|cider\b|punch\b/],
  ["water", /\bwater(?!melon)|seltzer|isotonic/],
  ["soda", /soft drinks?|soda|\bcola\b|energy drink|beverage|carbonated|drinks?\b/],
  ["beer", /\bbeers?|\bales?\b|malt/],
  ["wine", /wine|champagne|sherry|port\b|vermouth|sangria/],
  ["bottle", /spirits|liquor|whisk|vodka|rum\b|tequila|gin\b|cordial|brandy|syrup|vinegar|cooking wine/],
  ["soap", /shampoo|conditioner|hair|soap|body wash|deodorant|lotion|shav|razor|skin|bath|hand .*sanit|sun(care|tan| block)|facial|fem.* hygiene|personal care|feminine/],
  ["ice-cream", /^ice$/],
  ["chips", /\bchips\b|pretzel|popcorn|snacks\b/],
  ["cake", /cakes?\b|pies?\b|muffin|brownie|dessert|pastry|cheesecake|tortes?/],
  ["jar", /peanut butter|pnt btr|jell(y|ies)|jams?\b/],
  ["milk", /milk|cream(er)?s?\b(?!.*cheese)|yogurt|dairy|half.and.half|egg ?nog|buttermilk/],
  ["cheese", /cheese|\bbutter\b|margarine|brie|cheddar|mozzarella/],
  ["egg", /\beggs?\b/],
  ["donut", /donut|doughnut|bagel|sweet goods|breakfast sweets|sw gds|danish|pastr(y|ies)$/],
  ["loaf", /french|italian|baguette|sourdough|artisan|rolls?\b(?=.*bread)|dinner rolls/],
  ["bread", /\bbread(?!ed)|buns?\b|tortilla|toast|pita|bakery|dough|rolls\b|biscuits?/],
  ["cookie", /cookie|cracker|graham|wafer|cones/],
  ["candy", /cand(y|ies)|chocolate|gum\b|mints?\b|sweets|marshmallow|confection|seasonal treats/],
  ["cereal", /cereal|oat|granola|breakfast|pop.?tarts?|pancake|waffle|bars?\b/],
  ["chips", /chips|snacks?\b|popcorn|pretzel|crisps/],
  ["nut", /\bnuts?\b|peanut|almond|cashew|pecan|walnut|trail mix|seeds?\b/],
  ["pasta", /pasta|noodle|spaghetti|macaroni|ramen|mac.*chs/],
  ["sack", /flour|sugar|rice\b|beans?\b(?=.*dry)|dry bean|\bgrains?\b|baking|charcoal|mulch|soil/],
  ["spice", /spice|seasonings?\b|salt\b|pepper\b(?=.*black)|extract|herb/],
  ["oil", /\boils?\b|shortening|automotive|motor/],
  ["sauce", /sauce|ketchup|condiment|mustard|mayo|dressing|gravy|marinade|dips?\b|salsa|bbq/],
  ["jar", /jell(y|ies)|jams?\b|pnt btr|peanut butter|honey|pickle|olives?|relish|preserve|spread|canning|shelf stable/],
  ["can", /cann?ed|\bcan\b|soup|broth|tuna|chili\b|tomato(es)? (paste|sauce)|vegetables? ?- ?shelf|beans?\b/],
  ["bacon", /bacon/],
  ["sausage", /sausage|hot dog|frank(s|furter)|brat|dinner sausage|wiener|kielbasa|pepperoni/],
  ["poultry", /chicken|turkey|poultry|duck\b|\bwings?\b|rotisserie/],
  ["shrimp", /shrimp|lobster|crab(?!apple)|shellfish|prawn|oyster|clam|scallop/],
  ["fish", /fish|salmon|tilapia|cod\b|seafood|catfish|sushi/],
  ["card", /greeting|cards?\b|gift|party|holiday|christmas|halloween|easter|valentine|candles?/],
  ["sandwich", /sandwich|sub\b|burger|lunch ?meat|deli meat|lunch|hoagie/],
  ["meat", /meat|beef|pork|lamb|veal|ham\b|steak|ribs?\b|roast|loin|chuck/],
  ["banana", /banana|plantain|tropical/],
  ["berries", /berr(y|ies)|cherr/],
  ["orange", /citrus|orange|lemon|lime\b|grapefruit|tangerine|clementine/],
  ["apple", /apples?\b|pears?\b|fruit|peach|plum|nectarine|grapes?|melon|kiwi/],
  ["corn", /\bcorn\b/],
  ["mushroom", /mushroom/],
  ["onion", /onion|garlic|shallot/],
  ["potato", /potato|yam\b/],
  ["pepper", /peppers?\b|tomato|eggplant/],
  ["carrot", /carrot|vegetable|veg\b|celery|broccoli|cauliflower|root|squash|organics/],
  ["bowl", /salad bar|prepared|side dish|party tray|deli|entree|meal|salads?$|restaurant/],
  ["leaf", /salad|lettuce|greens|spinach|cabbage|produce/],
  ["frozen", /frzn|frozen|\bice\b/],
  ["plant", /garden|plant|lawn|fertili|pots?\b(?=.*clay)|nursery|shrub/],
  ["flower", /floral|flower|bouquet|roses?\b|arrangement|balloon/],
  ["tooth", /tooth|oral|dental|mouthwash|floss/],
  ["bandage", /first aid|bandage|foot ?care|eye ?care|wound/],
  ["pill", /vitamin|medic|cold|cough|allergy|antacid|laxative|pain|analgesic|diet|nutrition|supplement|health|pharm|remed|smoking|drug/],
  ["lipstick", /cosmetic|make ?up|lip|nail|mascara|maybelline|cover ?girl|l'?oreal|revlon|beauty|fragrance/],
  ["laundry", /laundry|detergent|bleach|fabric|softener|iron/],
  ["roll", /\bpaper\b|tissue|towel|napkin|toilet|foil|wrap|bags?\b|plates?|cups\b|plastic/],
  ["spray", /clean|household|disinfect|dish|air ?(care|fresh)|insecticide|pest|broom|mop|hardware/],
  ["magazine", /newspaper|book|publish|stationery|school|office|tablets|writing|pens?\b/],
  ["bulb", /bulb|batter(y|ies)|electr|light|audio|electronic/],
  ["camera", /photo|video|camera|film|movie|dvd|music/],
  ["toy", /toys?\b|game|sport|leisure|travel/],
  ["pan", /kitchen|cookware|gadget|bakeware|pans?\b|utensil|housewares?|glassware|appliance/],
  ["shoe", /apparel|shoes?\b|sock|hosiery|cloth|wear\b/],
  ["fuel", /fuel|gasoline|\bgas\b|propane/],
  ["coupon", /coupon|postal|charit|tickets?|lottery|money/],
  ["pot", /chef|hot\b|home meal/],
];

const FALLBACK = "bag";
// A restrained wheel: neighbours stay apart, and none of them shouts.
const HUES = [40, 65, 88, 112, 138, 158, 182, 212, 245, 20];

// A blue banana would look wrong.
const OWN_HUES = {
  ...{ apple: 25, berries: 15, meat: 20, bacon: 20, sausage: 30, pepper: 25, shrimp: 35, wine: 10 },
  ...{ bread: 65, loaf: 65, cookie: 60, cake: 40, donut: 40, coffee: 55, potato: 75, onion: 70 },
  ...{ banana: 95, cheese: 90, corn: 95, egg: 80, orange: 60, carrot: 50, poultry: 65, beer: 75 },
  ...{ leaf: 145, plant: 145, flower: 10, milk: 235, water: 235, frozen: 235, fish: 220 },
};

/** The name of the drawing for these categories ("A > B" paths) and this title. */
export function drawingOf(categories, title = "") {
  const narrowestFirst = (categories?.[0] ?? "").split(" > ").reverse();
  for (const words of [...narrowestFirst, title]) {
    const plain = words.toLowerCase();
    const rule = plain && RULES.find(([, pattern]) => pattern.test(plain));
    if (rule) return rule[0];
  }
  return FALLBACK;
}

/** The drawing's own hue, or one of the wheel: the same for all products of a category. */
function hueOf(drawing, categories) {
  if (drawing in OWN_HUES) return OWN_HUES[drawing];
  const words = (categories?.[0] ?? "").split(" > ").slice(0, 2).join();
  let sum = 7;
  for (const letter of words) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return HUES[sum % HUES.length];
}

/** The photograph of a product, or its category's drawing; decorative beside the title. */
export function picture({ image_url, categories, title }) {
  const drawing = drawingOf(categories, title);
  const frame = element("div", { class: "picture", "--hue": hueOf(drawing, categories) });
  const draw = () => frame.replaceChildren(sprite(drawing));
  if (!/^(https?:\/\/|\/(?!\/))/.test(image_url ?? "")) draw();
  else frame.append(element("img", { src: image_url, alt: "", loading: "lazy", onerror: draw }));
  return frame;
}
