/*
 * Large messages without a copy: an image is drawn where it will be read. See docs/guide/queues.md.
 */
#include <kin.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1000, HEIGHT = 1000 };

static kin_queue *images;

static int draw(kin_call *call)
{
    (void)call;
    for (int number = 1; number <= 3; number++) {
        kin_reservation image;
        if (kin_queue_reserve(images, WIDTH * HEIGHT, KIN_FOREVER, &image) < 0) {
            return 1;
        }
        memset(image.data, number, image.size); /* nobody sees it yet */
        kin_queue_commit(images, &image);       /* now it is in the queue */
    }
    kin_queue_close(images);
    return 0;
}
KIN_FUNCTION(draw)

int main(int argc, char **argv)
{
    kin_process *painter = NULL;
    kin_init(&argc, &argv);
    if (kin_queue_create(KIN_OPTIONS(kin_queue_options, .item_count_max = 2), &images) < 0 ||
        kin_process_start_bytes(draw, NULL, 0, NULL, &painter) < 0) {
        return 1;
    }
    kin_claim image;
    while (kin_queue_claim(images, KIN_FOREVER, &image) == 0) {
        const unsigned char *pixels = image.bytes.data; /* where the painter wrote them */
        unsigned long sum = 0;
        for (size_t i = 0; i < image.bytes.size; i++) {
            sum += pixels[i];
        }
        printf("%zu bytes, sum %lu\n", image.bytes.size, sum);
        kin_queue_acknowledge(images, &image);
    }
    kin_process_join(painter, KIN_FOREVER);
    kin_process_free(painter);
    kin_queue_free(images);
    return 0;
}
