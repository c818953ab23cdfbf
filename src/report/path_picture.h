// Attack paths as one picture: who starts on the left, what is gained on the right, what
// several paths share drawn once.
//
// Three steps: path_picture_graph.c turns paths into boxes and lines, _layout.c gives them
// places (layers from left to right, in the manner of Sugiyama), path_picture.c draws SVG.
// All is a function of the list alone: the same list gives the same bytes.
#pragma once

#include "azure/path/path_list.h"
#include "base/buffer.h"

typedef enum BoxKind {
    BOX_OBJECT, // an identity, a resource, a role: drawn once however many paths cross it
    BOX_GOALS,  // what is gained in one manner from the same boxes, a line each
    BOX_BEND,   // where a line passes a layer
} BoxKind;

typedef struct BoxItem {
    Str name;
    uint32_t path; // number of the path, from 1
} BoxItem;

typedef struct PictureBox {
    BoxKind kind;
    bool is_start;
    EdgeSeverity severity; // of BOX_GOALS
    Str caption;           // kind of object, or what is gained
    Str name, shown;       // of BOX_OBJECT: in full, and what is written in the box
    Str reached;           // kinds of the steps that lead to it
    struct {
        BoxItem *items;
        size_t len, cap;
    } goals; // of BOX_GOALS
    uint32_t layer, row;
    double x, y, width, height; // of its corner at the top left
} PictureBox;

typedef struct PictureLine {
    uint32_t from, to; // boxes
    EdgeSeverity severity;
    bool doubt;       // some path over it is not certain
    bool is_back;     // against the order of the layers
    Str kinds;        // "CanOpenNetwork, WriteData"
    uint32_t paths;   // drawn ones over it
    uint32_t counted; // the path that counted last, from 1
    uint32_t choke;   // number of the choke point, from 1; 0 = none
    struct {
        uint32_t *items;
        size_t len, cap;
    } bends;
} PictureLine;

typedef struct Picture {
    Arena *arena;
    struct {
        PictureBox *items;
        size_t len, cap;
    } boxes;
    struct {
        PictureLine *items;
        size_t len, cap;
    } lines;
    uint32_t layers;
    uint32_t paths; // how many of the list are in the picture
    double width, height;
} Picture;

enum { PICTURE_BOXES_MOST = 64, PICTURE_NAME_COLUMNS = 18 };

Picture *path_picture_build(Arena *arena, const PathModel *model, const PathList *list);
void path_picture_place(Picture *picture);

// The picture as an <svg> element; nothing for an empty list. Returns how many paths are in
// it: all of the list's but when they are long and share little.
uint32_t path_picture_svg(Buffer *out, Arena *arena, const PathModel *model, const PathList *list);

// Text as HTML or XML, in elements and attributes; control and direction characters gone.
void markup_text(Buffer *out, Arena *arena, Str text);
// An SVG <text> with `text` cut in the middle to `columns`, whole in its <title>.
void svg_text(Buffer *out, Arena *arena, double x, double y, const char *class, Str text,
              uint32_t columns);
const char *svg_severity_shape(EdgeSeverity severity); // as the page's findings have it
