// Units of measure: convert_length(value, from, to) and its kin. Source: Kusto docs,
// "Units conversion functions", for the names; the factors are the definitions of the
// units (SI, NIST SP 811).
//
// A unit is a line in a table: how many base units it is, and for temperatures where
// its zero lies. A value goes to the base unit and from there to the other.

#include "base/array.h"
#include "function/registry.h"

#include <math.h>

// base = value * factor + zero
typedef struct Unit {
    Str name;
    double factor, zero;
} Unit;

typedef struct UnitTable {
    const char *quantity;
    const Unit *units;
    size_t count;
} UnitTable;

#define UNIT(NAME, FACTOR)                                                                         \
    {                                                                                              \
        STR_INIT(NAME), FACTOR, 0                                                                  \
    }
#define SHIFTED(NAME, FACTOR, ZERO)                                                                \
    {                                                                                              \
        STR_INIT(NAME), FACTOR, ZERO                                                               \
    }
#define TABLE(NAME, QUANTITY, UNITS)                                                               \
    static const UnitTable NAME = {QUANTITY, UNITS, COUNT_OF(UNITS)}

#define FOOT         0.3048
#define SURVEY_FOOT  (1200.0 / 3937)
#define POUND        0.45359237
#define GRAVITY      9.80665
#define BTU          1055.05585262
#define ELECTRONVOLT 1.602176634e-19
#define US_GALLON    0.003785411784
#define UK_GALLON    0.00454609
#define CUBIC_FOOT   (FOOT * FOOT * FOOT)
#define PARSEC       3.0856775814913673e16
#define LIGHT_YEAR   9460730472580800.0

// Degrees.
static const Unit ANGLES[] = {
    UNIT("Arcminute", 1.0 / 60),
    UNIT("Arcsecond", 1.0 / 3600),
    UNIT("Centiradian", 1.8 / M_PI),
    UNIT("Deciradian", 18 / M_PI),
    UNIT("Degree", 1),
    UNIT("Gradian", 0.9),
    UNIT("Microdegree", 1e-6),
    UNIT("Microradian", 180e-6 / M_PI),
    UNIT("Millidegree", 1e-3),
    UNIT("Milliradian", 180e-3 / M_PI),
    UNIT("Nanodegree", 1e-9),
    UNIT("Nanoradian", 180e-9 / M_PI),
    UNIT("NatoMil", 360.0 / 6400),
    UNIT("Radian", 180 / M_PI),
    UNIT("Revolution", 360),
};
TABLE(ANGLE, "angle", ANGLES);

// Joules.
static const Unit ENERGIES[] = {
    UNIT("BritishThermalUnit", BTU),
    UNIT("Calorie", 4.184),
    UNIT("DecathermEc", 1.05505585262e9),
    UNIT("DecathermImperial", 1.05505585257348e9),
    UNIT("DecathermUs", 1.054804e9),
    UNIT("ElectronVolt", ELECTRONVOLT),
    UNIT("Erg", 1e-7),
    UNIT("FootPound", POUND *GRAVITY *FOOT),
    UNIT("GigabritishThermalUnit", BTU * 1e9),
    UNIT("GigaelectronVolt", ELECTRONVOLT * 1e9),
    UNIT("Gigajoule", 1e9),
    UNIT("GigawattDay", 86400e9),
    UNIT("GigawattHour", 3600e9),
    UNIT("HorsepowerHour", 550 * POUND * GRAVITY * FOOT * 3600),
    UNIT("Joule", 1),
    UNIT("KilobritishThermalUnit", BTU * 1e3),
    UNIT("Kilocalorie", 4184),
    UNIT("KiloelectronVolt", ELECTRONVOLT * 1e3),
    UNIT("Kilojoule", 1e3),
    UNIT("KilowattDay", 86400e3),
    UNIT("KilowattHour", 3600e3),
    UNIT("MegabritishThermalUnit", BTU * 1e6),
    UNIT("Megacalorie", 4184e3),
    UNIT("MegaelectronVolt", ELECTRONVOLT * 1e6),
    UNIT("Megajoule", 1e6),
    UNIT("MegawattDay", 86400e6),
    UNIT("MegawattHour", 3600e6),
    UNIT("Millijoule", 1e-3),
    UNIT("TeraelectronVolt", ELECTRONVOLT * 1e12),
    UNIT("TerawattDay", 86400e12),
    UNIT("TerawattHour", 3600e12),
    UNIT("ThermEc", 1.05505585262e8),
    UNIT("ThermImperial", 1.05505585257348e8),
    UNIT("ThermUs", 1.054804e8),
    UNIT("WattDay", 86400),
    UNIT("WattHour", 3600),
};
TABLE(ENERGY, "energy", ENERGIES);

// Newtons.
static const Unit FORCES[] = {
    UNIT("Decanewton", 10),
    UNIT("Dyn", 1e-5),
    UNIT("KilogramForce", GRAVITY),
    UNIT("Kilonewton", 1e3),
    UNIT("KiloPond", GRAVITY),
    UNIT("KilopoundForce", POUND *GRAVITY * 1e3),
    UNIT("Meganewton", 1e6),
    UNIT("Micronewton", 1e-6),
    UNIT("Millinewton", 1e-3),
    UNIT("Newton", 1),
    UNIT("OunceForce", POUND *GRAVITY / 16),
    UNIT("Poundal", POUND *FOOT),
    UNIT("PoundForce", POUND *GRAVITY),
    UNIT("ShortTonForce", POUND *GRAVITY * 2000),
    UNIT("TonneForce", GRAVITY * 1e3),
};
TABLE(FORCE, "force", FORCES);

// Metres.
static const Unit LENGTHS[] = {
    UNIT("Angstrom", 1e-10),
    UNIT("AstronomicalUnit", 149597870700.0),
    UNIT("Centimeter", 1e-2),
    UNIT("Chain", 66 * FOOT),
    UNIT("DataMile", 6000 * FOOT),
    UNIT("Decameter", 10),
    UNIT("Decimeter", 1e-1),
    UNIT("DtpPica", FOOT / 72),
    UNIT("DtpPoint", FOOT / 864),
    UNIT("Fathom", 6 * FOOT),
    UNIT("Foot", FOOT),
    UNIT("Hand", FOOT / 3),
    UNIT("Hectometer", 100),
    UNIT("Inch", FOOT / 12),
    UNIT("KilolightYear", LIGHT_YEAR * 1e3),
    UNIT("Kilometer", 1e3),
    UNIT("Kiloparsec", PARSEC * 1e3),
    UNIT("LightYear", LIGHT_YEAR),
    UNIT("MegalightYear", LIGHT_YEAR * 1e6),
    UNIT("Megaparsec", PARSEC * 1e6),
    UNIT("Meter", 1),
    UNIT("Microinch", FOOT / 12e6),
    UNIT("Micrometer", 1e-6),
    UNIT("Mil", FOOT / 12e3),
    UNIT("Mile", 5280 * FOOT),
    UNIT("Millimeter", 1e-3),
    UNIT("Nanometer", 1e-9),
    UNIT("NauticalMile", 1852),
    UNIT("Parsec", PARSEC),
    UNIT("PrinterPica", FOOT * 0.996264 / 72),
    UNIT("PrinterPoint", FOOT * 0.996264 / 864),
    UNIT("Shackle", 90 * FOOT),
    UNIT("SolarRadius", 6.957e8),
    UNIT("Twip", FOOT / 17280),
    UNIT("UsSurveyFoot", SURVEY_FOOT),
    UNIT("Yard", 3 * FOOT),
};
TABLE(LENGTH, "length", LENGTHS);

// Kilograms.
static const Unit MASSES[] = {
    UNIT("Centigram", 1e-5),
    UNIT("Decagram", 1e-2),
    UNIT("Decigram", 1e-4),
    UNIT("EarthMass", 5.9722e24),
    UNIT("Grain", POUND / 7000),
    UNIT("Gram", 1e-3),
    UNIT("Hectogram", 1e-1),
    UNIT("Kilogram", 1),
    UNIT("Kilopound", POUND * 1e3),
    UNIT("Kilotonne", 1e6),
    UNIT("LongHundredweight", POUND * 112),
    UNIT("LongTon", POUND * 2240),
    UNIT("Megapound", POUND * 1e6),
    UNIT("Megatonne", 1e9),
    UNIT("Microgram", 1e-9),
    UNIT("Milligram", 1e-6),
    UNIT("Nanogram", 1e-12),
    UNIT("Ounce", POUND / 16),
    UNIT("Pound", POUND),
    UNIT("ShortHundredweight", POUND * 100),
    UNIT("ShortTon", POUND * 2000),
    UNIT("Slug", POUND *GRAVITY / FOOT),
    UNIT("SolarMass", 1.98847e30),
    UNIT("Stone", POUND * 14),
    UNIT("Tonne", 1e3),
};
TABLE(MASS, "mass", MASSES);

// Metres a second.
static const Unit SPEEDS[] = {
    UNIT("CentimeterPerHour", 1e-2 / 3600),
    UNIT("CentimeterPerMinute", 1e-2 / 60),
    UNIT("CentimeterPerSecond", 1e-2),
    UNIT("DecimeterPerMinute", 1e-1 / 60),
    UNIT("DecimeterPerSecond", 1e-1),
    UNIT("FootPerHour", FOOT / 3600),
    UNIT("FootPerMinute", FOOT / 60),
    UNIT("FootPerSecond", FOOT),
    UNIT("InchPerHour", FOOT / 12 / 3600),
    UNIT("InchPerMinute", FOOT / 12 / 60),
    UNIT("InchPerSecond", FOOT / 12),
    UNIT("KilometerPerHour", 1e3 / 3600),
    UNIT("KilometerPerMinute", 1e3 / 60),
    UNIT("KilometerPerSecond", 1e3),
    UNIT("Knot", 1852.0 / 3600),
    UNIT("MeterPerHour", 1.0 / 3600),
    UNIT("MeterPerMinute", 1.0 / 60),
    UNIT("MeterPerSecond", 1),
    UNIT("MicrometerPerMinute", 1e-6 / 60),
    UNIT("MicrometerPerSecond", 1e-6),
    UNIT("MilePerHour", 5280 * FOOT / 3600),
    UNIT("MillimeterPerHour", 1e-3 / 3600),
    UNIT("MillimeterPerMinute", 1e-3 / 60),
    UNIT("MillimeterPerSecond", 1e-3),
    UNIT("NanometerPerMinute", 1e-9 / 60),
    UNIT("NanometerPerSecond", 1e-9),
    UNIT("UsSurveyFootPerHour", SURVEY_FOOT / 3600),
    UNIT("UsSurveyFootPerMinute", SURVEY_FOOT / 60),
    UNIT("UsSurveyFootPerSecond", SURVEY_FOOT),
    UNIT("YardPerHour", 3 * FOOT / 3600),
    UNIT("YardPerMinute", 3 * FOOT / 60),
    UNIT("YardPerSecond", 3 * FOOT),
};
TABLE(SPEED, "speed", SPEEDS);

// Kelvins.
static const Unit TEMPERATURES[] = {
    SHIFTED("DegreeCelsius", 1, 273.15),
    SHIFTED("DegreeDelisle", -2.0 / 3, 373.15),
    SHIFTED("DegreeFahrenheit", 5.0 / 9, 459.67 * 5 / 9),
    SHIFTED("DegreeNewton", 100.0 / 33, 273.15),
    SHIFTED("DegreeRankine", 5.0 / 9, 0),
    SHIFTED("DegreeReaumur", 1.25, 273.15),
    SHIFTED("DegreeRoemer", 40.0 / 21, 273.15 - 7.5 * 40 / 21),
    SHIFTED("Kelvin", 1, 0),
    SHIFTED("MillidegreeCelsius", 1e-3, 273.15),
    SHIFTED("SolarTemperature", 5778, 0),
};
TABLE(TEMPERATURE, "temperature", TEMPERATURES);

// Cubic metres.
static const Unit VOLUMES[] = {
    UNIT("AcreFoot", 1 / 0.000810714),
    UNIT("AuTablespoon", 2e-5),
    UNIT("BoardFoot", CUBIC_FOOT / 12),
    UNIT("Centiliter", 1e-5),
    UNIT("CubicCentimeter", 1e-6),
    UNIT("CubicDecameter", 1e3),
    UNIT("CubicDecimeter", 1e-3),
    UNIT("CubicFoot", CUBIC_FOOT),
    UNIT("CubicHectometer", 1e6),
    UNIT("CubicInch", CUBIC_FOOT / 1728),
    UNIT("CubicKilometer", 1e9),
    UNIT("CubicMeter", 1),
    UNIT("CubicMicrometer", 1e-18),
    UNIT("CubicMile", CUBIC_FOOT * 5280 * 5280 * 5280),
    UNIT("CubicMillimeter", 1e-9),
    UNIT("CubicYard", CUBIC_FOOT * 27),
    UNIT("Decaliter", 1e-2),
    UNIT("DecausGallon", US_GALLON * 10),
    UNIT("Deciliter", 1e-4),
    UNIT("DeciusGallon", US_GALLON / 10),
    UNIT("HectocubicFoot", CUBIC_FOOT * 100),
    UNIT("HectocubicMeter", 100),
    UNIT("Hectoliter", 1e-1),
    UNIT("HectousGallon", US_GALLON * 100),
    UNIT("ImperialBeerBarrel", UK_GALLON * 36),
    UNIT("ImperialGallon", UK_GALLON),
    UNIT("ImperialOunce", UK_GALLON / 160),
    UNIT("ImperialPint", UK_GALLON / 8),
    UNIT("KilocubicFoot", CUBIC_FOOT * 1e3),
    UNIT("KilocubicMeter", 1e3),
    UNIT("KiloimperialGallon", UK_GALLON * 1e3),
    UNIT("Kiloliter", 1),
    UNIT("KilousGallon", US_GALLON * 1e3),
    UNIT("Liter", 1e-3),
    UNIT("MegacubicFoot", CUBIC_FOOT * 1e6),
    UNIT("MegaimperialGallon", UK_GALLON * 1e6),
    UNIT("Megaliter", 1e3),
    UNIT("MegausGallon", US_GALLON * 1e6),
    UNIT("MetricCup", 2.5e-4),
    UNIT("MetricTeaspoon", 5e-6),
    UNIT("Microliter", 1e-9),
    UNIT("Milliliter", 1e-6),
    UNIT("OilBarrel", US_GALLON * 42),
    UNIT("UkTablespoon", 1.5e-5),
    UNIT("UsBeerBarrel", US_GALLON * 31),
    UNIT("UsCustomaryCup", US_GALLON / 16),
    UNIT("UsGallon", US_GALLON),
    UNIT("UsLegalCup", 2.4e-4),
    UNIT("UsOunce", US_GALLON / 128),
    UNIT("UsPint", US_GALLON / 8),
    UNIT("UsQuart", US_GALLON / 4),
    UNIT("UsTablespoon", US_GALLON / 256),
    UNIT("UsTeaspoon", US_GALLON / 768),
};
TABLE(VOLUME, "volume", VOLUMES);

static const UnitTable *const TABLES[] = {&ANGLE, &ENERGY, &FORCE,       &LENGTH,
                                          &MASS,  &SPEED,  &TEMPERATURE, &VOLUME};

// The table of convert_<quantity>.
static const UnitTable *
table_of(const FunctionDef *fn)
{
    const char *quantity = fn->name + strlen("convert_");
    for (size_t t = 0; t < COUNT_OF(TABLES); t++)
        if (strcmp(TABLES[t]->quantity, quantity) == 0)
            return TABLES[t];
    return NULL;
}

static const Unit *
unit_find(const UnitTable *table, Str name)
{
    for (size_t u = 0; u < table->count; u++)
        if (str_equal_ci(table->units[u].name, name))
            return &table->units[u];
    return NULL;
}

static bool
convert_bind(Arena *arena, const FunctionDef *fn, Expr *const *args, uint32_t arg_count, Span span,
             Type *type, const void **bound, AzError *error)
{
    (void)span, (void)type;
    const UnitTable *table = table_of(fn);
    for (uint32_t k = 1; k < arg_count; k++) {
        if (args[k]->kind != EXPR_CONST)
            continue;
        Str name = text_str(&args[k]->value.text);
        if (unit_find(table, name))
            continue;
        Str *names = ARENA_ARRAY(arena, Str, table->count);
        for (size_t u = 0; u < table->count; u++)
            names[u] = table->units[u].name;
        ptrdiff_t near = str_nearest(name, names, table->count);
        return error_at(error, AZ_SEMANTIC, args[k]->span, "'%.*s' is no unit of %s%s%.*s%s",
                        STR_ARG(name), table->quantity, near >= 0 ? "; did you mean '" : "",
                        near >= 0 ? (int)names[near].len : 0, near >= 0 ? names[near].ptr : "",
                        near >= 0 ? "'?" : "");
    }
    *bound = table;
    return true;
}

static void
convert_rows(ScalarCall *call)
{
    const UnitTable *table = call->bound ? call->bound : table_of(call->fn);
    for (uint32_t i = 0; i < call->count; i++) {
        const Unit *from = unit_find(table, arg_str(call, 1, i));
        const Unit *to = unit_find(table, arg_str(call, 2, i));
        if (from && to)
            ((double *)call->out)[i] =
                (ARG(call, 0, double, i) * from->factor + from->zero - to->zero) / to->factor;
        else
            out_null(call, i);
    }
}

static const ScalarImpl convert_impl = {convert_rows, convert_bind};

#define CONVERT(QUANTITY, EXAMPLE)                                                                 \
    {                                                                                              \
        "convert_" QUANTITY, NULL, "(value:real, from:string, to:string) : real",                  \
            "The " QUANTITY " in another unit.", EXAMPLE, FUNCTION_SCALAR, 0, &convert_impl        \
    }

static const FunctionDef ROWS[] = {
    CONVERT("angle", "round(convert_angle(1, 'Degree', 'Arcminute'), 6) == 60"),
    CONVERT("energy", "round(convert_energy(1, 'KilowattHour', 'Kilojoule'), 6) == 3600"),
    CONVERT("force", "round(convert_force(1, 'Newton', 'Decanewton'), 6) == 0.1"),
    CONVERT("length", "round(convert_length(1, 'Mile', 'Meter'), 3) == 1609.344"),
    CONVERT("mass", "round(convert_mass(1, 'Stone', 'Pound'), 6) == 14"),
    CONVERT("speed", "round(convert_speed(36, 'KilometerPerHour', 'MeterPerSecond'), 6) == 10"),
    CONVERT("temperature",
            "round(convert_temperature(100, 'DegreeCelsius', 'DegreeFahrenheit'), 6) == 212"),
    CONVERT("volume", "round(convert_volume(1, 'CubicMeter', 'Liter'), 6) == 1000"),
};

const FunctionSet UNIT_FUNCTIONS = {ROWS, COUNT_OF(ROWS)};
